from pathlib import Path

from booking.owner import owner_url


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("DATABASE_OWNER_URL=postgresql://file\n")
    assert (
        owner_url({"DATABASE_OWNER_URL": "postgresql://environment"}, env_file) == "postgresql://environment"
    )
    assert owner_url({"DATABASE_OWNER_URL": " "}, env_file) == "postgresql://file"


def test_without_either_there_is_none(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    assert owner_url({}, env_file) is None
    env_file.write_text("DATABASE_OWNER_URL=\n")
    assert owner_url({}, env_file) is None
