// @ts-check
/** Images of runs that belong together: the same path, at several steps. */

/** @typedef {{ family: string, step: number }} Place */

/** MLflow's log_image: `images/KEY%step%STEP%timestamp%...`, with `+` in place of `%` in newer versions. */
const LOGGED = /^(.*?)[%+]step[%+](\d+)[%+]timestamp[%+]/;

/**
 * The family and the step of an image by its path: the last number of its name is the step. Nothing for what is no image.
 * @param {string} path @returns {Place | null}
 */
export function placeOf(path) {
  if (!/\.(png|jpe?g|gif|webp|svg|bmp|avif)$/i.test(path)) return null;
  const slash = path.lastIndexOf("/") + 1;
  const [folder, name] = [path.slice(0, slash), path.slice(slash)];
  const logged = LOGGED.exec(name);
  if (logged) return { family: `${folder}${logged[1].replaceAll("#", "/")}`, step: Number(logged[2]) };
  const numbered = /^(.*?)(\d+)(\D*)$/.exec(name);
  if (!numbered) return { family: path, step: 0 };
  return { family: `${folder}${numbered[1]}#${numbered[3]}`, step: Number(numbered[2]) };
}

/**
 * The families of images of several runs, each with its steps and with the path of every run at each step.
 * @param {{ run: string, paths: string[] }[]} runs
 * @returns {{ family: string, steps: number[], paths: Map<string, Map<number, string>> }[]}
 */
export function families(runs) {
  /** @type {Map<string, Map<string, Map<number, string>>>} */
  const found = new Map();
  for (const { run, paths } of runs) {
    for (const path of paths) {
      const place = placeOf(path);
      // A small copy of the same image, which MLflow keeps beside it.
      if (!place || /%compressed|\+compressed/.test(path)) continue;
      const family = found.get(place.family) ?? new Map();
      const steps = family.get(run) ?? new Map();
      steps.set(place.step, path);
      family.set(run, steps);
      found.set(place.family, family);
    }
  }
  return [...found].map(([family, paths]) => {
    const steps = new Set([...paths.values()].flatMap((each) => [...each.keys()]));
    return { family, steps: [...steps].sort((one, other) => one - other), paths };
  });
}

/** The path at a step, or at the last step before it. @param {Map<number, string> | undefined} paths @param {number} step @returns {{ path: string, step: number } | null} */
export function atStep(paths, step) {
  let best = null;
  for (const [at, path] of paths ?? []) if (at <= step && (!best || at > best.step)) best = { path, step: at };
  return best;
}
