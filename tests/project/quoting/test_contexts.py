"""Wherever a placeholder stands, a real shell's program sees the text of the value, or the command is refused."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from projrun.project.command import MisplacedError, is_plain, render
from tests.project.test_quoting import AWKWARD
from tests.support.examples import examples

BASH = shutil.which("bash") or "bash"
BATCH = """
while IFS= read -r -d '' line; do
    bash -c "$line" </dev/null || printf ' failed: %s' $?
    printf '\\0'
done
"""


class Context(NamedTuple):
    """A command with `{a}`, and what it prints; `@` stands for the value."""

    template: str
    prints: str


SHOW = "printf '<%s>'"

SEEN = {
    "bare": Context(f"{SHOW} {{a}}", "<@>"),
    "in a word": Context(f"{SHOW} --x={{a}},y", "<--x=@,y>"),
    "twice": Context(f"{SHOW} {{a}}{{a}}", "<@@>"),
    "double": Context(f'{SHOW} "{{a}}"', "<@>"),
    "double, within": Context(f'{SHOW} "x {{a}}{{a}} y"', "<x @@ y>"),
    "double, escaped quotes": Context(f'{SHOW} "\\"{{a}}\\""', '<"@">'),
    "single": Context(f"{SHOW} 'x {{a}} y'", "<x @ y>"),
    "ansi": Context(f"{SHOW} $'\\t{{a}}\\''", "<\t@'>"),
    "translated": Context(f'{SHOW} $"{{a}}"', "<@>"),
    "mixed": Context(f"{SHOW} a{{a}}b\"c{{a}}d\"'e{{a}}f'", "<a@bc@de@f>"),
    "escaped single quotes": Context(f"{SHOW} \\'{{a}}\\'", "<'@'>"),
    "after a variable": Context(f'v=1; {SHOW} "${{v}}{{a}}" ${{v}}{{a}} "${{v}}{{a}}"', "<1@><1@><1@>"),
    "assignment": Context(f'v={{a}}; w="{{a}}"; {SHOW} "$v" "$w"', "<@><@>"),
    "environment": Context("V={a} bash -c 'printf %s. \"$V\"'", "@."),
    "substitution": Context(f"{SHOW} \"$(printf '%s.' {{a}})\"", "<@.>"),
    "substitution, double": Context(f'{SHOW} "$(printf "%s." "{{a}}")"', "<@.>"),
    "substitution, nested": Context(f'{SHOW} "$(printf "%s." "$(printf "%s." {{a}})")"', "<@..>"),
    "case in a substitution": Context(f"{SHOW} \"$(case x in (x) printf '%s.' {{a}};; esac)\"", "<@.>"),
    "process substitution": Context("cat <(printf %s. {a})", "@."),
    "here-string": Context('cat <<< {a}; cat <<< "{a}"', "@\n@\n"),
    "document": Context("cat <<EOF\n[{a}]\nEOF\nprintf x", "[@]\nx"),
    "document, alone": Context("cat <<EOF\n{a}\nEOF\nprintf x", "@\nx"),
    "document, quoted": Context("cat <<'EOF'\n[{a}] $x\nEOF\n", "[@] $x\n"),
    "document, escaped": Context("cat <<\\EOF | cat\n[{a}]\nEOF\n", "[@]\n"),
    "document, tabs": Context("cat <<-EOF; printf x\n\t[{a}]\n\tEOF\n", "[@]\nx"),
    "document, cut": Context("cat <<EOF 2>/dev/null\n{a}.", "@.\n"),
    "document, joined": Context("cat <<EOF\n[{a}]\\\n[{a}]\nEOF\n", "[@][@]\n"),
    "document, quotes": Context("cat <<EOF\n\"{a}\" '{a}'\nEOF\n", "\"@\" '@'\n"),
    "document, substitution": Context("cat <<EOF\n$(printf '%s.' {a} \"{a}\")\nEOF\n", "@.@.\n"),
    "two documents": Context("cat <<A; cat <<'B'\n[{a}]\nA\n({a})\nB\n", "[@]\n(@)\n"),
    "document in a subshell": Context("(cat <<EOF)\n[{a}]\nEOF\n", "[@]\n"),
    "document in a substitution": Context('printf %s. "$(cat <<EOF\n[{a}]\nEOF\n)"', "[@]."),
    "array": Context(f'x=(p {{a}} # it\'s p\n "{{a}}"); {SHOW} "${{x[@]}}"', "<p><@><@>"),
    "case": Context("case {a} in {a}) printf yes;; *) printf no;; esac", "yes"),
    "case, double": Context('case "{a}" in\n  x) ;;\n  "{a}") printf yes;;\nesac', "yes"),
    "test": Context('[[ {a} == {a} && "{a}" = {a} ]] && printf yes', "yes"),
    "test, old": Context('[ {a} = "{a}" ] && printf yes', "yes"),
    "function": Context(f"f() {{ {SHOW} {{a}} \"$1\"; }}; f '{{a}}'", "<@><@>"),
    "function, word": Context('function f { eval "printf %s. {a}"; }; f', "@."),
    "loop": Context(f'for i in {{a}} "{{a}}"; do {SHOW} "$i"; done', "<@><@>"),
    "condition": Context(f'if true; then {SHOW} "{{a}}"; else x; fi', "<@>"),
    "group": Context(f"{{ {SHOW} {{a}}; }}; ({SHOW} '{{a}}')", "<@><@>"),
    "continuation": Context(f'{SHOW} \\\n  {{a}} "x\\\n{{a}}"', "<@><x@>"),
    "after a comment": Context(f"# it's a \"comment\n{SHOW} {{a}}", "<@>"),
    "no comment": Context(f"{SHOW} a#b'{{a}}' ${{#x}}{{a}}", "<a#b@><0@>"),
    "arithmetic before": Context(f"((1 << 2)); {SHOW} $((1 << 2)){{a}}", "<4@>"),
    "subshells": Context(f"(({SHOW} {{a}}); {SHOW} $((printf '%s' x); printf y))", "<@><xy>"),
    "descriptors": Context(f"{SHOW} {{a}} 2>&1 >&1 2>/dev/null", "<@>"),
    "pipe": Context("printf %s {a} | cat", "@"),
    "sh -c": Context("sh -c 'printf \"<%s>\" {a}'", "<@>"),
    "bash -c": Context("bash -c \"printf '<%s>' '{a}' {a}\"", "<@><@>"),
    "bash -c, escaped double": Context('bash -c "printf %s. \\"{a}\\""', "@."),
    "bash -c, bare": Context("bash -c printf\\ %s.\\ {a}", "@."),
    "bash -c, options": Context("bash --norc -euo pipefail -c 'printf %s. \"{a}\"'", "@."),
    "bash -c, argument": Context("bash -c 'printf %s. \"$1\"' bash {a}", "@."),
    "bash -c, document": Context("bash -c 'cat <<EOF\n[{a}]\nEOF\n'", "[@]\n"),
    "bash -c, substitution": Context("bash -c 'printf %s. \"$(printf %s. {a})\"'", "@.."),
    "sh -c, bash -c": Context('sh -c \'bash -c "printf \\"%s.\\" {a}"\'', "@."),
    "env sh -c": Context("env X=1 /bin/sh -ec 'printf %s. {a}'", "@."),
    "exec sh -c": Context('exec sh -c "printf %s. {a}"', "@."),
    "command sh -c": Context('X=1 command bash -c "printf %s. {a}"', "@."),
    "timeout sh -c": Context('timeout 60 bash -c "printf %s. {a}"', "@."),
    "$BASH -c": Context("\"$BASH\" -c 'printf %s. {a}'", "@."),
    "eval": Context("eval printf %s. {a}", "@."),
    "eval, double": Context('eval "printf %s. \\"{a}\\""', "@."),
    "trap": Context('trap "printf %s. {a}" EXIT', "@."),
    "script of a document": Context('bash <<EOF\nprintf %s. {a} "{a}"\nEOF\n', "@.@."),
    "script of a quoted document": Context("sh -s -- x <<'EOF'\nprintf %s. '{a}' \"$1\"\nEOF\n", "@.x."),
    "script of a piped document": Context("cat <<EOF | bash\nprintf %s. {a}\nEOF\n", "@."),
    "script of a wrapped shell": Context("timeout 60 bash <<'EOF'\nprintf %s. {a}\nEOF\n", "@."),
    "script of a here-string": Context('bash <<< "printf %s. {a}"', "@."),
}

REFUSED = {
    "operator in an array": ("x=(y; {a})", "unclear"),
    "bracket in an array": ("x=(f() {a})", "unclear"),
    "printed for a shell": ('echo "run {a}" | bash', "printed"),
    "document of a shell's shell": ("sh -c bash <<EOF\necho {a}\nEOF\n", "puts together"),
    "expanded twice": ("echo >& {a}", "twice"),
    "line that may be another": ("bash -c $LINE {a}", "puts together"),
    "eval that may be first": ("$PREFIX eval $x '{a}'", "puts together"),
    "backticks": ("echo `echo {a}`", "backticks"),
    "backticks, double": ('echo "`echo \\"{a}\\"`"', "backticks"),
    "braces": ("echo ${{X:-{a}}}", r"\$\{…\}"),
    "braces, double": ('echo "${{X:-$(echo {a})}}"', r"\$\{…\}"),
    "arithmetic": ("echo $(( {a} + 1 ))", "arithmetic"),
    "arithmetic command": ("(( x = {a} ))", "arithmetic"),
    "arithmetic loop": ("for ((i=0; i<{a}; i++)); do echo; done", "arithmetic"),
    "arithmetic, old": ("echo $[ {a} + 1 ]", "arithmetic"),
    "arithmetic test": ("[[ {a} -gt 3 ]] && echo", "arithmetic"),
    "let": ('let "x = {a}"', "arithmetic"),
    "subscript": ("x[{a}]=1", "arithmetic"),
    "subscript of an array": ("x=([{a}]=1)", "arithmetic"),
    "regular expression": ("[[ x =~ ^({a}|y)$ ]]", "regular expression"),
    "comment": ("echo # {a}", "comment"),
    "delimiter": ("cat <<{a}\nx\n", "delimiter"),
    "backslash": ("echo \\{a}", "backslash"),
    "backslash, double": ('echo "\\{a}"', "backslash"),
    "backslash, document": ("cat <<EOF\n\\{a}\nEOF\n", "backslash"),
    "dollar": ("echo $$ ${a}", "dollar"),
    "dollar, double": ('echo "${a}"', "dollar"),
    "variable, document": ("cat <<EOF\n$x{a}\nEOF\n", "variable"),
    "composed line": ('bash -c "cd $DIR && echo {a}"', "puts together"),
    "composed eval": ("eval $PREFIX echo {a}", "puts together"),
    "composed script": ("bash <<EOF\necho $X {a}\nEOF\n", "puts together"),
    "unknown options": ("bash $OPTIONS -c 'echo {a}'", "puts together"),
    "ansi for sh": ("sh -c \"echo \\$'{a}'\"", "every sh"),
    "open quote": ('echo "{a}', "unclear"),
    "open quote within": ('bash -c "echo it\'s {a}"', "unclear"),
    "open bracket": ("echo {a} $(echo", "unclear"),
    "stray bracket": ("echo '' {a})", "unclear"),
    "too deep": ("$(" * 60 + "echo {a}" + ")" * 60, "unclear"),
}


def printed(lines: Sequence[str]) -> list[str]:
    """What each line prints when it is run by `bash -c`; one bash starts them all."""
    script = "".join(f"{line}\0" for line in lines).encode()
    done = subprocess.run([BASH, "-c", BATCH], input=script, capture_output=True, check=True, timeout=300)
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


def rendered(template: str, value: str) -> str | None:
    """The line for a value; None where it is refused."""
    try:
        return render(template, {"a": value})
    except MisplacedError:
        assert not is_plain(value)
        return None


def assert_seen(cases: Sequence[tuple[Context, str]]) -> None:
    """Each program sees the text, or the line is refused."""
    lines = [rendered(context.template, value) for context, value in cases]
    seen = iter(printed([line for line in lines if line is not None]))
    for (context, value), line in zip(cases, lines, strict=True):
        if line is not None:
            assert (line, next(seen)) == (line, context.prints.replace("@", value))


DANGEROUS = '$(echo ran) `echo ran` it\'s "q" \\ $HOME ${x} #!\n\ny*'
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20) | st.text(
    "'\"\\$`\n\t #!&;|<>(){}[]*?~-aEOF", max_size=12
)


@pytest.fixture(scope="module")
def dangerous() -> dict[str, tuple[str, str]]:
    """What each context prints with one value, and should."""
    lines = [render(context.template, {"a": DANGEROUS}) for context in SEEN.values()]
    expected = [context.prints.replace("@", DANGEROUS) for context in SEEN.values()]
    return dict(zip(SEEN, zip(printed(lines), expected, strict=True), strict=True))


@pytest.mark.processes
@pytest.mark.parametrize("name", SEEN)
def test_one_dangerous_value(name: str, dangerous: dict[str, tuple[str, str]]) -> None:
    """No place of this table refuses it."""
    seen, expected = dangerous[name]
    assert seen == expected


@pytest.mark.processes
def test_control_characters_that_bash_marks_itself() -> None:
    """In double quotes in an array, bash puts a \\x01 before these two."""
    value = "a\x01b\x7f\x7fc"
    assert_seen([(context, value) for context in SEEN.values()])
    refused = [name for name, context in SEEN.items() if rendered(context.template, value) is None]
    assert refused == ["arithmetic before", "subshells"], "the lines with (("


@pytest.mark.processes
def test_awkward_values() -> None:
    """Each in some context, each context with some; in CI each in many."""
    values = [value for value in AWKWARD if "\udcff" not in value and len(value) < 100]
    contexts = list(SEEN.values())
    pairs = itertools.islice(
        zip(itertools.cycle(values), itertools.cycle(contexts), strict=False), examples(600)
    )
    assert_seen([(context, value) for value, context in pairs])


@pytest.mark.processes
@settings(max_examples=examples(30), phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(cases=st.lists(st.tuples(st.sampled_from(list(SEEN.values())), VALUES), min_size=10, max_size=40))
def test_any_value_in_any_context(cases: list[tuple[Context, str]]) -> None:
    assert_seen(cases)


@pytest.mark.parametrize(("template", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(template: str, reason: str) -> None:
    for value in ("a b", "", "$(touch X)"):
        with pytest.raises(MisplacedError, match=reason):
            render(template, {"a": value})


@pytest.mark.parametrize(
    "line",
    [
        "(" * 20_000,
        "$((" * 20_000,
        "$(" * 20_000,
        '"$(' * 9_000,
        "${x:-" * 9_000,
        "eval " * 9_000,
        "sh -c " * 9_000,
    ],
)
def test_hostile_lines_are_refused_in_time(line: str) -> None:
    with pytest.raises(MisplacedError):
        render(line + "'{a}'", {"a": "x y"})


@given(st.text("abzAZ09_@%+=:,./-", min_size=1))
def test_plain_values_are_never_refused(value: str) -> None:
    templates = [template for template, _ in REFUSED.values()]
    for template in [*templates, *[context.template for context in SEEN.values()]]:
        marked = re.sub(r"\{\{|\}\}", lambda found: found.group()[0], template)
        assert render(template, {"a": value}) in (
            marked.replace("{a}", value),
            template.replace("{a}", value),
        )
