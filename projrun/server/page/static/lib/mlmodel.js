// @ts-check
/** Reading of MLmodel files: the part of YAML that MLflow writes there, and the signature of a model. */

/** @typedef {string | null | Value[] | {[key: string]: Value}} Value */
/** @typedef {{name: string, type: string, required: boolean, group: "inputs" | "outputs" | "params", extra: string}} Field */
/** @typedef {{indent: number, text: string}} Line */

const LONGEST = 500_000;
const DEEPEST = 30;

/**
 * Block mappings, block sequences and scalars (plain, quoted, over several lines). All scalars are text.
 * @param {string} text
 * @returns {Value}
 */
export function readYaml(text) {
  const lines = text.slice(0, LONGEST).split(/\r?\n/).map((line) => ({ indent: line.search(/\S|$/), text: line.trim() }));
  const reader = new Reader(lines);
  return reader.block(0, 0);
}

class Reader {
  /** @param {Line[]} lines */
  constructor(lines) {
    this.lines = lines;
    this.at = 0;
  }

  /** @returns {Line | null} */
  next() {
    while (this.at < this.lines.length) {
      const line = this.lines[this.at];
      if (line.text && !line.text.startsWith("#") && line.text !== "---") return line;
      this.at += 1;
    }
    return null;
  }

  /**
   * @param {number} least
   * @param {number} depth
   * @returns {Value}
   */
  block(least, depth) {
    const line = this.next();
    if (!line || line.indent < least || depth > DEEPEST) return null;
    if (isItem(line.text)) return this.sequence(line.indent, depth);
    return splitKey(line.text) ? this.mapping(line.indent, depth) : this.scalar("", line.indent);
  }

  /**
   * @param {number} indent
   * @param {number} depth
   * @returns {Value}
   */
  sequence(indent, depth) {
    /** @type {Value[]} */
    const answer = [];
    for (let line = this.next(); line && line.indent === indent && isItem(line.text); line = this.next()) {
      const rest = line.text.slice(1).trimStart();
      if (!rest) {
        this.at += 1;
        answer.push(this.block(indent + 1, depth + 1));
      } else if (splitKey(rest) || isItem(rest)) {
        this.lines[this.at] = { indent: indent + line.text.length - rest.length, text: rest };
        answer.push(this.block(indent + 1, depth + 1));
      } else {
        this.at += 1;
        answer.push(this.scalar(rest, indent + 1));
      }
    }
    return answer;
  }

  /**
   * @param {number} indent
   * @param {number} depth
   * @returns {Value}
   */
  mapping(indent, depth) {
    /** @type {{[key: string]: Value}} */
    const answer = Object.create(null);
    for (let line = this.next(); line && line.indent === indent; line = this.next()) {
      const pair = splitKey(line.text);
      if (!pair) break;
      this.at += 1;
      const following = this.next();
      // A sequence may stand at the indent of its key.
      const inner = following && isItem(following.text) && following.indent === indent ? indent : indent + 1;
      answer[pair[0]] = pair[1] ? this.scalar(pair[1], indent + 1) : this.block(inner, depth + 1);
    }
    return answer;
  }

  /**
   * @param {string} first
   * @param {number} least the indent of lines that go on
   * @returns {Value}
   */
  scalar(first, least) {
    const parts = [first];
    while (this.at < this.lines.length) {
      const line = this.lines[this.at];
      if (closed(parts) || (line.text && line.indent < least)) break;
      parts.push(line.text);
      this.at += 1;
    }
    return unquoted(parts);
  }
}

/**
 * @param {string} text
 * @returns {boolean}
 */
function isItem(text) {
  return text === "-" || text.startsWith("- ");
}

/**
 * @param {string} text
 * @returns {[string, string] | null}
 */
function splitKey(text) {
  const match = /^(?:"((?:[^"\\]|\\.)*)"|'((?:[^']|'')*)'|([^\s"'#[{&*!|>%@`][^#]*?)):(?:\s+(.*))?$/.exec(text);
  if (!match) return null;
  return [match[1] ?? match[2] ?? match[3], match[4] ?? ""];
}

/**
 * Whether a quoted scalar has ended; a plain one ends with its lines.
 * @param {string[]} parts
 * @returns {boolean}
 */
function closed(parts) {
  const text = parts.join(" ");
  if (text.startsWith("'")) return /^'(?:[^']|'')*'(?!')/.test(text);
  if (text.startsWith('"')) return /^"(?:[^"\\]|\\[^])*"/.test(text);
  return false;
}

/**
 * @param {string[]} parts
 * @returns {string | null}
 */
function unquoted(parts) {
  const [first] = parts;
  if (/^[|>][+-]?\d?$/.test(first)) return parts.slice(1).join(first.startsWith("|") ? "\n" : " ").trim();
  // A line break is a space, an empty line is a line break; a backslash at the end joins without one.
  const text = parts.reduce((all, part) => {
    if (all.endsWith("\\") && first.startsWith('"')) return all.slice(0, -1) + part.replace(/^\\ /, " ");
    return part === "" ? `${all}\n` : all.endsWith("\n") ? all + part : `${all} ${part}`;
  });
  if (text.startsWith("'")) return text.replace(/^'|'\s*(?:#.*)?$/g, "").replaceAll("''", "'");
  if (text.startsWith('"')) return doubleQuoted(text);
  const plain = text.replace(/\s+#.*$/, "").trim();
  return plain === "null" || plain === "~" || plain === "{}" ? null : plain;
}

/**
 * @param {string} text
 * @returns {string}
 */
function doubleQuoted(text) {
  const inner = text.replace(/^"|"\s*(?:#.*)?$/g, "");
  /** @type {Record<string, string>} */
  const marks = { n: "\n", t: "\t", r: "\r", 0: "\0" };
  return inner.replace(/\\(u[\da-fA-F]{4}|x[\da-fA-F]{2}|.)/g, (_, code) => {
    if (code.length > 1) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    return marks[code] ?? code;
  });
}

/**
 * Inputs, outputs and params of a signature, whose parts are JSON text in the file.
 * @param {Value | undefined} signature
 * @returns {Field[]}
 */
export function signatureFields(signature) {
  if (!signature || typeof signature !== "object" || Array.isArray(signature)) return [];
  return /** @type {const} */ (["inputs", "outputs", "params"]).flatMap((group) => {
    const text = signature[group];
    if (typeof text !== "string") return [];
    try {
      const parts = JSON.parse(text);
      return Array.isArray(parts) ? parts.map((part, index) => field(part, index, group)) : [];
    } catch {
      return [];
    }
  });
}

/**
 * @param {any} part
 * @param {number} index
 * @param {Field["group"]} group
 * @returns {Field}
 */
function field(part, index, group) {
  const tensor = part?.["tensor-spec"];
  const type = tensor ? `${tensor.dtype} tensor` : describe(part);
  const extra = tensor ? `shape (${[tensor.shape].flat().join(", ")})` : part?.default !== undefined ? `default ${JSON.stringify(part.default)}` : "";
  return { name: String(part?.name ?? index), type, required: part?.required !== false && part?.optional !== true, group, extra };
}

/**
 * @param {any} part
 * @returns {string}
 */
function describe(part) {
  if (part?.type === "array") return `array of ${describe(part.items)}`;
  if (part?.type === "object") return `object {${Object.keys(part.properties ?? {}).join(", ")}}`;
  return String(part?.dtype ?? part?.type ?? "any");
}
