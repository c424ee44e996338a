"""Which of the site's projects are tracked, and tracking others: the site's list beside `jira_pipeline.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jira_pipeline.errors import SettingsError
from jira_pipeline.jira.site import JiraSite, Project
from jira_pipeline.settings import PipelineConfig, TrackedProject, load_config
from jira_pipeline.settings.tracking import change_tracked_projects


@dataclass(frozen=True)
class SelectableProject:
    """A project that the account can browse, that is in the configuration, or both.

    `project` is None where the site does not list it, `position` (from 0, in `tracked_projects`) and `entry` where the
    configuration does not.
    """

    project: Project | None
    position: int | None = None
    entry: TrackedProject | None = None

    @property
    def key(self) -> str:
        """The key as the site has it, else as the configuration names the project."""
        if self.project is not None:
            return self.project.key
        assert self.entry is not None
        return self.entry.key or f"id {self.entry.id}"

    @property
    def project_id(self) -> str | None:
        """The id that the site, else the configuration, gives; None where the configuration has a key only."""
        if self.project is not None:
            return self.project.id
        return self.entry.id if self.entry else None

    @property
    def is_tracked(self) -> bool:
        """Whether it is synced: it is in the configuration and not switched off there."""
        return self.entry is not None and self.entry.active

    @property
    def former_key(self) -> str | None:
        """The key in the configuration, where the site has given the project another one since."""
        configured = self.entry.key if self.entry else None
        return configured if self.project is not None and configured not in (None, self.project.key) else None

    def is_called(self, name: str) -> bool:
        """Whether somebody who writes this key, former key or id means this project."""
        return name in (self.key, self.former_key, self.project_id)


@dataclass(frozen=True)
class TrackingChange:
    """What became of a wish to track and untrack projects, by key."""

    tracked: tuple[str, ...] = ()
    untracked: tuple[str, ...] = ()
    already_tracked: tuple[str, ...] = ()
    already_untracked: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The same for people."""
        told = {
            "tracked from now on; the next sync reads all its issues.": self.tracked,
            "not synced any more; what is stored stays.": self.untracked,
            "tracked already.": self.already_tracked,
            "not tracked anyway.": self.already_untracked,
        }
        return tuple(f"{key} is {what}" for what, keys in told.items() for key in keys)


def with_projects(
    entries: Iterable[TrackedProject], listed: Sequence[Project], known_ids: Mapping[str, str]
) -> Iterator[tuple[TrackedProject, str | None, Project | None]]:
    """Each entry of the configuration with the id it is known by and the site's project it means, if there is one.

    The id decides where one is known, so that a project is followed after it got another key; then the key does.
    """
    by_id = {project.id: project for project in listed}
    by_key = {project.key: project for project in listed}
    for entry in entries:
        project_id = entry.id or known_ids.get(entry.key or "")
        yield entry, project_id, by_id.get(project_id or "") or by_key.get(entry.key or "")


def tracked_ids(entries: Iterable[TrackedProject], listed: Sequence[Project], known_ids: Mapping[str, str]) -> set[str]:
    """The ids of the projects that are tracked and active, shown by the site (archived ones too) or not."""
    return {
        found
        for entry, project_id, project in with_projects(entries, listed, known_ids)
        if entry.active and (found := project.id if project else project_id)
    }


def selectable_projects(
    listed: Sequence[Project], config: PipelineConfig, known_ids: Mapping[str, str]
) -> tuple[SelectableProject, ...]:
    """The site's projects in order of their keys, then those that only the configuration names.

    `known_ids`: the id that the project had which the configuration names by this key. A project whose key has changed
    is recognised by it.
    """
    found: dict[str, SelectableProject] = {}
    missing: list[SelectableProject] = []
    for position, (entry, _, project) in enumerate(with_projects(config.tracked_projects, listed, known_ids)):
        if project is None:
            missing.append(SelectableProject(None, position, entry))
        else:
            found.setdefault(project.id, SelectableProject(project, position, entry))
    ordered = sorted(listed, key=lambda project: project.key)
    return (*(found.get(project.id, SelectableProject(project)) for project in ordered), *missing)


def change_tracking(
    site: JiraSite, path: Path, known_ids: Mapping[str, str], *, track: Sequence[str], untrack: Sequence[str]
) -> TrackingChange:
    """Track projects and stop tracking others, named by key, by changing the file at `path`.

    All or nothing: a `SettingsError` says which project there is not, or why the file cannot be changed. What is so
    already is part of the result and no error.
    """
    config = load_config(path)
    projects = selectable_projects(site.projects(), config, known_ids)
    wanted = {_meant(site, projects, key): True for key in track}
    unwanted = {_meant(site, projects, key): False for key in untrack}
    both = sorted(project.key for project in wanted.keys() & unwanted.keys())
    if both:
        raise SettingsError(f"{', '.join(both)} is to be tracked and untracked at once: name it once.")
    for project in wanted:
        _check_trackable(site, project)
    differing = {project: state for project, state in (wanted | unwanted).items() if project.is_tracked != state}
    if differing:
        change_tracked_projects(
            config,
            added=[
                TrackedProject(key=p.project.key, id=p.project.id)
                for p in differing
                if p.entry is None and p.project is not None
            ],
            active={p.position: state for p, state in differing.items() if p.position is not None},
        )
    return TrackingChange(
        tracked=tuple(p.key for p in wanted if p in differing),
        untracked=tuple(p.key for p in unwanted if p in differing),
        already_tracked=tuple(p.key for p in wanted if p not in differing),
        already_untracked=tuple(p.key for p in unwanted if p not in differing),
    )


def _meant(site: JiraSite, projects: Sequence[SelectableProject], written: str) -> SelectableProject:
    name = written.strip().upper()
    # The present keys first: one project's former key may be another one's by now.
    for project in (*(p for p in projects if p.key == name), *(p for p in projects if p.is_called(name))):
        return project
    if name and site.project_key_in_use(name):
        raise SettingsError(
            f"The account may not browse project {name} at {site.identity.server}: ask its administrator for the "
            "permission Browse Projects. Nothing was written."
        )
    raise SettingsError(
        f"There is no project {name or repr(written)} at {site.identity.server}: "
        "`jira-pipeline projects` lists those there are. Nothing was written."
    )


def _check_trackable(site: JiraSite, project: SelectableProject) -> None:
    if project.project is None:
        raise SettingsError(
            f"Project {project.key} is not visible to the account at {site.identity.server}: it has been deleted, or "
            "the account lacks the permission to browse it: ask its administrator. Nothing was written."
        )
    if project.project.archived and not project.is_tracked:
        raise SettingsError(
            f"Project {project.key} is archived at {site.identity.server}, and searches leave archived projects out: "
            "restore it in Jira first. Nothing was written."
        )
