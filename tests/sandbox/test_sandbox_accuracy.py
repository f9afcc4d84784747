"""Precision and recall against a truth file."""

from decimal import Decimal

from sandbox.accuracy import Accuracy, measure


def exception(code: str, subject: str, marketplace: str = "BRICO") -> dict[str, str]:
    return {
        "exception_code": code,
        "marketplace_code": marketplace,
        "subject_type": "ORDER",
        "subject_id": subject,
        "status": "RESOLVED",
    }


def scores(accuracy: Accuracy) -> dict[str, tuple[str, str]]:
    return {score.exception_code: (str(score.precision), str(score.recall)) for score in accuracy.scores}


def test_everything_planted_is_found_and_nothing_else() -> None:
    planted = [exception("ORD-001", "A"), exception("ORD-001", "B"), exception("SET-003", "A")]
    accuracy = measure({"exceptions": planted, "near_misses": []}, reversed(planted))
    assert scores(accuracy) == {"ORD-001": ("1.00", "1.00"), "SET-003": ("1.00", "1.00")}
    assert accuracy.is_perfect


def test_a_missed_and_an_invented_exception_lower_recall_and_precision_of_their_code() -> None:
    truth = {"exceptions": [exception("ORD-001", "A"), exception("ORD-001", "B")], "near_misses": []}
    found = [exception("ORD-001", "A"), exception("ORD-001", "C"), exception("ORD-001", "D")]
    accuracy = measure(truth, found)
    assert scores(accuracy) == {"ORD-001": ("0.33", "0.50")}
    assert [finding.subject_id for finding in accuracy.scores[0].missed] == ["B"]
    assert [finding.subject_id for finding in accuracy.scores[0].invented] == ["C", "D"]
    assert not accuracy.is_perfect


def test_the_same_subject_at_another_marketplace_is_another_exception() -> None:
    truth = {"exceptions": [exception("ORD-001", "A")], "near_misses": []}
    accuracy = measure(truth, [exception("ORD-001", "A", "OTHER")])
    assert not accuracy.is_perfect
    assert accuracy.marketplaces == ("BRICO", "OTHER")
    assert scores(accuracy.of("BRICO")) == {"ORD-001": ("1.00", "0.00")}
    assert scores(accuracy.of("OTHER")) == {"ORD-001": ("0.00", "1.00")}


def test_one_marketplace_can_be_perfect_beside_another_that_is_not() -> None:
    planted = [exception("SET-004", "A"), exception("SET-004", "B", "OTHER")]
    accuracy = measure({"exceptions": planted, "near_misses": []}, planted[:1])
    assert accuracy.of("BRICO").is_perfect
    assert not accuracy.of("OTHER").is_perfect


def test_a_code_the_truth_does_not_know_is_a_false_alarm() -> None:
    accuracy = measure({"exceptions": [], "near_misses": []}, [exception("STK-001", "A")])
    assert scores(accuracy) == {"STK-001": ("0.00", "1.00")}
    assert not accuracy.is_perfect


def test_a_near_miss_that_was_raised_is_named() -> None:
    near = {
        "near_miss": "just in time",
        "not_code": "ORD-001",
        "marketplace_code": "BRICO",
        "subject_type": "ORDER",
        "subject_id": "N",
    }
    accuracy = measure({"exceptions": [], "near_misses": [near]}, [exception("ORD-001", "N")])
    assert [finding.subject_id for finding in accuracy.near_misses_raised] == ["N"]
    assert measure({"exceptions": [], "near_misses": [near]}, []).is_perfect
    elsewhere = measure({"exceptions": [], "near_misses": [near]}, [exception("ORD-001", "N", "OTHER")])
    assert not elsewhere.near_misses_raised


def test_almost_all_is_not_shown_as_all() -> None:
    planted = [exception("ORD-001", str(number)) for number in range(1000)]
    accuracy = measure({"exceptions": planted, "near_misses": []}, planted[:-1])
    assert accuracy.recall == accuracy.scores[0].recall == Decimal("0.99")
