"""No decision looks into a sentence: reasons are codes (`porewatch.domain.reasons`).

The syntax tree of every product file is searched for comparisons, `in`, `startswith` and the like
on text of several words, or on a field that holds words for people. What is left is in `ALLOWED`,
each with the reason why no code can be asked for.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("layers/common/python", "worker/src", "cli/src", "local/src", "functions")
LOOKS = {"startswith", "endswith", "split", "rsplit", "partition", "rpartition", "removeprefix",
         "removesuffix", "find", "index", "count"}  # fmt: skip
SEARCHES = {"match", "fullmatch", "search", "findall"}
WORDS = {"rule", "remark", "reason", "problem", "method", "detail", "sentence", "type_c_rule",
         "then", "why_ended", "status_reason"}  # fmt: skip
"""Fields and variables that hold words for people."""

ALLOWED: dict[str, str] = {
    "launch_faults.py: NOT_OFFERED.search(why)": "AWS: one code for two faults",
    "instances.py: self.why_ended.startswith('Host EC2 (instance')": "AWS Batch gives no code",
    "instances.py: 'SpotInstance' in self.why_ended": "EC2's code, or a sentence of AWS Batch",
    "ec2_wire.py: re.search(EC2_TIME, reason)": "EC2 shows the time of an end in words alone",
    "dorado.py: _BAD_FILE.search(tail)": "dorado has one exit code for all faults",
    "dorado.py: _NO_GPU.search(tail)": "the same",
    "dorado.py: _NO_MODEL.search(tail)": "the same",
    "fastq.py: 'Not a gzipped file' in str(e)": "Python's gzip: one class for two faults",
    "validation_text.py: message.removeprefix('Value error, ')": "pydantic puts it there",
    "validation_text.py: message.removeprefix('Invalid JSON: ')": "pydantic puts it there",
    "authorize.py: request.method not in SAFE_METHODS": "HTTP's own names",
    "hidden_objects.py: method == 'HEAD'": "the same",
    "chaos_archive.py: RESTORED in kinds": "EventBridge's own name of an event",
    "hidden_objects.py: method not in ('GET', 'HEAD')": "the same",
    "event.py: envelope.detail_type != 'Scheduled Event'": "EventBridge's identifier",
    "parsers.py: envelope.detail_type == 'Scheduled Event'": "the same",
    "parsers.py: envelope.detail_type == 'Machine Expired'": "our own identifier",
    "parsers.py: 'jobId' in detail": "a key of an event's detail",
    "orphans.py: orphan.action == 'would end'": "a value of `Found.action`",
    "file_names.py: _HIDDEN_FOLDER.match(folder)": "names of folders that desktops make",
    "sample_outcomes.py: reason not in reasons[:i]": "whole reasons, code and values",
    "of_sample.py: self._reason(reason) != reason": "the same",
    "replacement.py: then != today": "two documents, made then and today",
    "rehearse.py: 'EventPattern' not in rule": "a rule of EventBridge",
    "server.py: method != 'GET'": "HTTP",
    "server.py: method != 'POST'": "HTTP",
    "server.py: method == 'GET'": "HTTP",
    "server.py: method == 'PUT'": "HTTP",
    "front_door.py: method == 'PUT'": "HTTP",
    "i18n.py: name.removeprefix(SURROGATE)": "a name and its mark, made by the bundle's data",
    "carbon_estimate.py: reason not in missing": "the same",
    "terminate_instances.py: task.reason in OUTCOMES": "an outcome that the state machine names",
}
"""`file: source of the expression` -> why no code can be asked for."""


EC2_TIME = repr(r"\((\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) (?:GMT|UTC)\)")


def several_words(node: ast.expr, constants: dict[str, str]) -> bool:
    """Whether this is text of three words or more, or the name of a constant that is."""
    if isinstance(node, ast.Name):
        return _is_sentence(constants.get(node.id, ""))
    return isinstance(node, ast.Constant) and _is_sentence(node.value)


def _is_sentence(value: object) -> bool:
    return isinstance(value, str) and sum(w[:1].isalpha() for w in value.split()) >= 2


def holds_words(node: ast.expr) -> bool:
    if isinstance(node, ast.Name):
        return node.id in WORDS
    return isinstance(node, ast.Attribute) and node.attr in WORDS


def decisions(tree: ast.Module) -> Iterator[ast.expr]:
    """Every expression that compares or takes apart what may be a sentence."""
    constants = dict(_constants(tree))

    def words(node: ast.expr) -> bool:
        return several_words(node, constants) or holds_words(node)

    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and _compares(node, words_in=words):
            yield node
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            looks = node.func.attr in LOOKS and node.args  # `split()` alone folds blanks
            searches = node.func.attr in SEARCHES
            if (looks or searches) and any(map(words, (node.func.value, *node.args))):
                yield node


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Texts of the module by name, those of patterns included."""
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        texts = [part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)]
        if isinstance(node.value, ast.Constant | ast.Call) and texts and isinstance(texts[0], str):
            yield node.targets[0].id, texts[0]


def _compares(node: ast.Compare, *, words_in: Callable[[ast.expr], bool]) -> bool:
    sides = [node.left, *node.comparators]
    blank = any(isinstance(s, ast.Constant) and s.value in ("", None) for s in sides)
    return not blank and any(words_in(side) for side in sides)


def found() -> set[str]:
    return {
        f"{path.name}: {ast.unparse(node)}".replace(EC2_TIME, "EC2_TIME")
        for folder in PRODUCT
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in decisions(ast.parse(path.read_text(encoding="utf-8")))
    }


def test_no_decision_looks_into_a_sentence() -> None:
    assert found() - set(ALLOWED) == set()


def test_every_exception_is_still_needed() -> None:
    assert set(ALLOWED) - found() == set()


@pytest.mark.parametrize(
    "breach",
    [
        'A = "rather a relative"\nown = A in f.rule',
        'told = "barcode crossover" not in text',
        'if unit.reason.startswith(KILLED): pass',
        'first, second = why.split(", and then ", 1)',
        'gap = f.rule == NO_RESULT',
        'P = re.compile("is not supported here")\nif P.search(why): pass',
        'alarm = any("a recombinant" in a for a in p.alarms)',
        'half = problem.partition(" Remedy: ")',
    ],
)  # fmt: skip
def test_a_planted_decision_is_found(breach: str) -> None:
    assert list(decisions(ast.parse(breach)))


def test_codes_names_and_empty_texts_may_be_compared() -> None:
    fine = """
if reason.code is Code.CROSSOVER: pass
if finding.rule == "": pass
if call == "detected" or "host" in names: pass
words = run.problem.split()
"""
    assert list(decisions(ast.parse(fine))) == []
