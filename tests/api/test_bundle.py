"""Modules put together as one script: what it does is what they do."""

from __future__ import annotations

import pytest

from chalicelib.api.bundle import bundled

WORDS = 'const kept = 1;\nexport const word = "a";\nexport async function said() {}\nexport class Said {}\n'


def test_each_module_keeps_a_scope_of_its_own_and_comes_once_before_those_that_need_it() -> None:
    modules = {
        "main.js": 'import { b } from "./b-b.js";\nimport { word as w, Said } from "./words.js";\nb(w);\n',
        "b-b.js": 'import { said } from "./words.js";\nexport const b = () => said();\n',
        "words.js": WORDS,
        "other.js": "never();\n",
    }
    assert bundled("main.js", modules) == (
        'const $words = (() => {\nconst kept = 1;\nconst word = "a";\nasync function said() {}\n'
        "class Said {}\n"
        "return { word, said, Said };\n})();\n"
        "const $b_b = (() => {\nconst { said } = $words;\nconst b = () => said();\nreturn { b };\n})();\n"
        "const $main = (() => {\nconst { b } = $b_b;\nconst { word: w, Said } = $words;\nb(w);\n"
        "return {  };\n})();\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        'import * as all from "./words.js";\n',
        'import "./words.js";\n',
        'const later = await import("./words.js");\n',
        "export default 1;\n",
        "export let changing = 1;\n",
        "export { word };\n",
    ],
)
def test_what_it_does_not_understand_it_refuses(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be bundled"):
        bundled("main.js", {"main.js": text, "words.js": WORDS})


def test_modules_that_import_each_other_are_refused() -> None:
    modules = {f"{one}.js": f'import {{ x }} from "./{other}.js";\n' for one, other in ("ab", "ba")}
    with pytest.raises(ValueError, match="imports itself"):
        bundled("a.js", modules)
