"""Editing `tracked_projects`: one entry changes, every other byte of the file stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from jira_pipeline.errors import SettingsError
from jira_pipeline.settings import TrackedProject, load_config, tracking
from jira_pipeline.settings.tracking import change_tracked_projects
from jira_pipeline_tests.settings.reading import Write

WEB = TrackedProject(key="WEB", id="10002")

COMMENTED = """\
---
# our pipeline
start_date:   2026-11-01            # the day we began
tracked_projects:
- key: APP                      # the app
  active: true                  # for now
# - key: OLD
- {key: OPS, active: false}   # paused

- key: "NO"   # Norway
  id: 010

# who is who
team_members:
    - {name: Ana Ruiz, email: ana@example.com}
cycle_time: {from: created, to: resolved}      # the headline
"""


def edited(path: Path, *, added: tuple[TrackedProject, ...] = (), active: dict[int, bool] | None = None) -> str:
    change_tracked_projects(load_config(path), added=added, active=active or {})
    return path.read_bytes().decode()


def test_a_project_is_appended_to_the_list_and_nothing_else_moves(write: Write) -> None:
    assert edited(write(COMMENTED), added=(WEB,)) == COMMENTED.replace(
        "  id: 010\n", '  id: 010\n- key: WEB\n  id: "10002"\n'
    )


@pytest.mark.parametrize(
    ("position", "active", "before", "after"),
    [
        pytest.param(0, False, "active: true  ", "active: false  ", id="a word is replaced"),
        pytest.param(1, True, "active: false}", "active: true}", id="a word in braces is replaced"),
        pytest.param(2, False, "id: 010\n", "id: 010\n  active: false\n", id="a line is added"),
    ],
)
def test_a_project_is_switched_and_nothing_else_moves(
    write: Write, position: int, active: bool, before: str, after: str
) -> None:
    assert edited(write(COMMENTED), active={position: active}) == COMMENTED.replace(before, after)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[]   # none yet\n", '   # none yet\n  - key: WEB\n    id: "10002"\n'),
        ("[]\n", '\n  - key: WEB\n    id: "10002"\n'),
        ("[]", '\n  - key: WEB\n    id: "10002"'),
        ("[{key: APP}]\n", '[{key: APP}, {key: WEB, id: "10002"}]\n'),
        ("\n  - key: APP", '\n  - key: APP\n  - key: WEB\n    id: "10002"'),
        ("\n    -   key: APP   # x\n", '\n    -   key: APP   # x\n    - key: WEB\n      id: "10002"\n'),
        ("\r\n  - key: APP\r\n\r\n# end\r\n", '\r\n  - key: APP\r\n  - key: WEB\r\n    id: "10002"\r\n\r\n# end\r\n'),
        ("\n  - key: APP # Größe 🎈\n# end", '\n  - key: APP # Größe 🎈\n  - key: WEB\n    id: "10002"\n# end'),
    ],
)
def test_a_list_in_any_style_takes_another_project(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "jira_pipeline.yaml"
    head = "\ufeffstart_date: 2026-11-01\ntracked_projects:"
    path.write_bytes(f"{head} {before}".encode())
    gap = "" if after.startswith(("\n", " ")) and before.startswith("[") else " "
    assert edited(path, added=(WEB,)) == f"{head}{gap}{after}"
    assert load_config(path).tracked_projects[-1] == WEB


def test_a_key_that_yaml_takes_for_something_else_is_quoted(write: Write) -> None:
    path = write(COMMENTED.replace("NO", "SE"))
    edited(path, added=(TrackedProject(key="NO", id="7"),))
    assert load_config(path).tracked_projects[-1] == TrackedProject(key="NO", id="7")


def test_several_changes_are_made_at_once(write: Write) -> None:
    path = write(COMMENTED)
    edited(path, added=(WEB, TrackedProject(key="CRM")), active={0: False, 1: True, 2: False})
    assert [(p.key, p.active) for p in load_config(path).tracked_projects] == [
        ("APP", False),
        ("OPS", True),
        ("NO", False),
        ("WEB", True),
        ("CRM", True),
    ]


def test_a_file_that_cannot_be_edited_without_changing_more_stays_as_it_is(write: Write) -> None:
    shared = "start_date: 2026-11-01\ntracked_projects:\n  - &one {key: APP, active: true}\n  - {<<: *one, key: OPS}\n"
    path = write(shared)
    with pytest.raises(SettingsError, match=r"jira_pipeline\.yaml is written in a way .* edit it by hand"):
        edited(path, active={0: False})
    assert path.read_text(encoding="utf-8") == shared


def test_a_file_edited_since_it_was_read_is_not_overwritten(write: Write) -> None:
    path = write(COMMENTED)
    config = load_config(path)
    theirs = COMMENTED.replace("key: APP", "key: CRM")
    path.write_text(theirs, encoding="utf-8")
    with pytest.raises(SettingsError, match="edited by somebody else meanwhile: nothing was written, run this again"):
        change_tracked_projects(config, added=[WEB], active={})
    assert path.read_text(encoding="utf-8") == theirs


def test_a_file_edited_at_the_last_moment_is_not_overwritten(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(COMMENTED)
    theirs = f"{COMMENTED}# one more comment\n"
    means = tracking._means

    def edit_while_the_new_file_is_checked(*given: object) -> bool:
        path.write_text(theirs, encoding="utf-8")
        return means(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(tracking, "_means", edit_while_the_new_file_is_checked)
    with pytest.raises(SettingsError, match="edited by somebody else meanwhile"):
        edited(path, added=(WEB,))
    assert path.read_text(encoding="utf-8") == theirs


def test_permissions_and_links_stay_and_nothing_is_left_behind(tmp_path: Path) -> None:
    real = tmp_path / "etc" / "real.yaml"
    real.parent.mkdir()
    real.write_text(COMMENTED, encoding="utf-8")
    real.chmod(0o640)
    link = tmp_path / "jira_pipeline.yaml"
    link.symlink_to(real)
    edited(link, added=(WEB,))
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert load_config(real).tracked_projects[-1] == WEB
    assert [path.name for path in real.parent.iterdir()] == ["real.yaml"]
