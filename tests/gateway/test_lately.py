"""What happened lately is remembered for its time and no longer."""

from gateway.lately import Lately


def test_a_key_is_held_until_its_time_is_over() -> None:
    lately: Lately[str] = Lately()
    lately.add("a", until_s=10, now_s=0)
    assert lately.holds("a", 9.9)
    assert not lately.holds("a", 10)
    assert not lately.holds("b", 0)


def test_a_key_that_comes_again_is_held_anew() -> None:
    lately: Lately[str] = Lately()
    lately.add("a", until_s=10, now_s=0)
    lately.add("b", until_s=10, now_s=0)
    lately.add("a", until_s=20, now_s=9)
    lately.add("c", until_s=30, now_s=15)
    assert lately.holds("a", 15)
    assert len(lately) == 2


def test_however_many_come_those_whose_time_is_over_are_gone() -> None:
    lately: Lately[int] = Lately()
    for now_s in range(10_000):
        lately.add(now_s, until_s=now_s + 60, now_s=now_s)
        assert len(lately) <= 60


def test_a_crowd_drives_out_the_oldest() -> None:
    lately: Lately[int] = Lately()
    for key in range(5_000):
        lately.add(key, until_s=60, now_s=0)
    assert len(lately) == 4_096
    assert not lately.holds(0, 0)
    assert lately.holds(4_999, 0)


def test_a_key_whose_time_is_over_as_it_comes_is_not_kept() -> None:
    lately: Lately[str] = Lately()
    lately.add("a", until_s=1, now_s=1)
    assert len(lately) == 0
