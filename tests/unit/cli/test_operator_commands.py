"""Operator commands with a real database."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from bodydouble.cli import app
from bodydouble.cli.running_services import RunningService
from bodydouble.service.identifiers import make_uuid7
from bodydouble.store import Database, PostgresTaskStore
from bodydouble.tasks.task import CreateLimits, NewTask, ResultCode, TaskId, TaskResult, TaskSource, TaskStatus

MODEL = "wan/2-2-animate-replace"
INPUTS = {
    "img_urls": ["https://example.com/a.png"],
    "video_urls": ["https://example.com/a.mp4"],
    "resolution": "480P",
    "renderer": "puppet",
}
FAILURE = TaskResult(code=ResultCode.GENERATION_FAILED, message="it went wrong")


@pytest.fixture(autouse=True)
def installation(empty_database: str, tmp_path, monkeypatch) -> str:
    """Every command works on this database and folder."""
    monkeypatch.setenv("DATABASE_URL", empty_database)
    monkeypatch.setenv("BODYDOUBLE_DATA", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    return empty_database


def invoke(*arguments: object, status: int = 0) -> Any:
    """Run the command; it ends with ``status`` and never with a traceback."""
    result = CliRunner().invoke(app, [str(a) for a in arguments])
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result


def answer(*arguments: object, status: int = 0) -> Any:
    """What the command answers to programs."""
    return json.loads(invoke(*arguments, "--json", status=status).stdout)


def make_task(url: str, callback_url: str | None = None) -> TaskId:
    """A pending task of the account 'studio', which has the credits for it."""
    invoke("accounts", "create", "studio", "--credits", "100")
    account = next(a["id"] for a in answer("accounts", "list") if a["name"] == "studio")
    new = NewTask(
        id=TaskId(make_uuid7()),
        account=account,
        model=MODEL,
        param={"model": MODEL, "input": INPUTS},
        inputs=INPUTS,
        source=TaskSource.API,
        reserve=Decimal(30),
        callback_url=callback_url,
    )
    asyncio.run(_with_tasks(url, lambda tasks: tasks.create_task(new, CreateLimits())))
    return new.id


def fail_task(url: str, task_id: TaskId) -> None:
    """End it without a result."""
    asyncio.run(_with_tasks(url, lambda tasks: tasks.settle(task_id, TaskStatus.FAILED, FAILURE, None)))


async def _with_tasks(url: str, use: Any) -> Any:
    database = await Database.connect(url)
    tasks = PostgresTaskStore(database)
    try:
        return await use(tasks)
    finally:
        await tasks.close()
        await database.close()


def test_keys_create_prints_only_the_key():
    """A script can use the output; the list shows everything except the secret."""
    secret = invoke("keys", "create", "--account", "studio", "--name", "ci", "--expires", "30d").stdout.strip()
    assert secret.startswith("ak_")
    assert len(secret) == 35
    (key,) = answer("keys", "list", "--account", "studio")
    assert (key["account"], key["name"], key["scope"], key["disabled"]) == ("studio", "ci", "all", False)
    assert key["prefix"] == secret[:9]
    assert secret not in invoke("keys", "list").output
    assert secret[:9] in invoke("keys", "list").output


def test_a_key_is_disabled_and_rotated_by_id_or_prefix():
    """disable and enable work; rotate prints the new key and sets the old one's expiry."""
    secret = invoke("keys", "create", "--scope", "read").stdout.strip()
    invoke("keys", "disable", secret[:9])
    assert answer("keys", "list")[0]["disabled"] is True
    invoke("keys", "enable", "1")
    assert answer("keys", "list")[0]["disabled"] is False
    new = invoke("keys", "rotate", "1", "--grace", "1d").stdout.strip()
    old, rotated = answer("keys", "list")
    assert new.startswith(rotated["prefix"])
    assert rotated["scope"] == "read"
    assert old["expires_at"] is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("keys", "create", "--expires", "soon"), "--expires: soon is neither a date"),
        (("keys", "create", "--expires", "2001-01-01"), "expires_at"),
        (("keys", "rotate", "1", "--grace", "long"), "--grace: long is not a duration"),
        (("accounts", "create", " "), "account: use a name of 1 to 100"),
        (("accounts", "limits", "studio"), "nothing to set"),
        (("accounts", "label", "studio", "AI"), "AI: not a label; use one of none, eu, china, both"),
        (("accounts", "limits", "studio", "--tasks-at-once", "0"), "--tasks-at-once: 0 is neither"),
        (("accounts", "grant", "studio", "0.00001"), "more than four decimal places"),
        (("switch", "off", "coffee"), "there is no coffee to switch off"),
        (("tasks", "ls", "--since", "yesterday"), "--since: yesterday is neither a date"),
    ],
)
def test_wrong_values_are_one_clear_line(arguments, message):
    """Status 2 and a line that names the option."""
    result = invoke(*arguments, status=2)
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("keys", "disable", "7"), "There is no key 7"),
        (("accounts", "grant", "nobody", "1"), "no account called 'nobody'"),
        (("ledger", "show", "nobody"), "no account called 'nobody'"),
        (("tasks", "show", "019a1f0e-7c3b-7e55-8a51-0c4f2a6f9b1d"), "Task not found"),
        (("tasks", "retry", "no-id"), "Task not found"),
    ],
)
def test_missing_things_are_reported(arguments, message):
    """Status 1 and a line that names what is missing."""
    assert message in invoke(*arguments, status=1).stderr


def test_credits_are_granted_and_taken_back():
    """A negative grant takes back at most what is available."""
    invoke("accounts", "create", "studio", "--credits", "100.5")
    invoke("accounts", "grant", "studio", "-0.5", "--memo", "typing error")
    assert answer("accounts", "list")[0]["balance"] == 100
    assert "Insufficient credits" in invoke("accounts", "grant", "studio", "-101", status=1).stderr
    assert [(e["kind"], e["amount"], e["memo"]) for e in answer("ledger", "show", "studio")] == [
        ("revoke", 0.5, "typing error"),
        ("grant", 100.5, "granted at the start"),
    ]


def test_a_label_of_an_account_is_stored_and_listed():
    """The label is set by name; the list shows it."""
    invoke("accounts", "create", "studio")
    assert "visible label eu" in invoke("accounts", "label", "studio", "eu").stderr
    assert [account["label"] for account in answer("accounts", "list")] == ["eu"]


def test_limits_of_an_account_are_its_own_until_default():
    """Limits that are not named stay unchanged; `default` restores the installation's."""
    invoke("accounts", "create", "studio")
    invoke("accounts", "limits", "studio", "--creates-per-minute", "600")
    invoke("accounts", "limits", "studio", "--tasks-at-once", "7")
    invoke("accounts", "disable", "studio")
    (account,) = answer("accounts", "list")
    assert (account["creates_per_minute"], account["active_max"], account["disabled"]) == (600, 7, True)
    invoke("accounts", "limits", "studio", "--creates-per-minute", "default")
    invoke("accounts", "enable", "studio")
    (account,) = answer("accounts", "list")
    assert (account["creates_per_minute"], account["active_max"], account["disabled"]) == (None, 7, False)


def test_the_ledger_check_finds_a_difference(installation):
    """Status 0 while all amounts agree; 1 and the account's name after a balance was changed."""
    invoke("accounts", "create", "studio", "--credits", "100")
    assert "All amounts agree" in invoke("ledger", "check").stdout
    assert answer("ledger", "check") == {"accounts": 1, "differences": []}
    with psycopg.connect(installation) as connection:
        connection.execute("update account set balance = balance + 1")
    found = invoke("ledger", "check", status=1).stdout
    assert "studio" in found
    (difference,) = answer("ledger", "check", status=1)["differences"]
    assert (difference["what"], difference["stored"], difference["by_ledger"]) == ("available", 101, 100)


def test_switches_are_listed_until_they_are_on_again():
    """off, ls and on work together."""
    assert "Everything is on" in invoke("switch", "ls").stdout
    invoke("switch", "off", "maintenance", "--message", "new disks", "--retry", "30m")
    (off,) = answer("switch", "ls")
    assert (off["name"], off["message"], off["retry_seconds"]) == ("maintenance", "new disks", 1800)
    assert "new disks" in invoke("switch", "ls").stdout
    assert "Maintenance is over" in invoke("switch", "on", "maintenance").stderr
    assert "no maintenance" in invoke("switch", "on", "maintenance").stderr
    invoke("switch", "off", "renderer:puppet")
    assert "renderer:puppet is on again" in invoke("switch", "on", "renderer:puppet").stderr
    assert "was not off" in invoke("switch", "on", "renderer:puppet").stderr


def test_tasks_are_listed_by_account_and_state(installation):
    """Filters apply, and the table shows whole ids."""
    failed, pending = make_task(installation), make_task(installation)
    fail_task(installation, failed)
    invoke("accounts", "create", "other")
    assert [row["task"]["id"] for row in answer("tasks", "ls")] == [str(pending), str(failed)]
    assert [row["task"]["id"] for row in answer("tasks", "ls", "--status", "failed", "--since", "1h")] == [str(failed)]
    assert answer("tasks", "ls", "--account", "other") == []
    assert answer("tasks", "ls", "--until", "1h") == []
    shown = invoke("tasks", "ls").stdout
    assert str(failed) in shown
    assert "501 it went wrong" in shown


def test_a_task_is_shown_with_callbacks_and_ledger(installation):
    """The report has the result, the delivery and both transfers."""
    long_url = "https://example.com/hook?token=" + "a" * 5000
    for url in ("https://example.com/hook", long_url):
        task = make_task(installation, callback_url=url)
        fail_task(installation, task)
        shown = invoke("callbacks", "ls", task).stdout
        assert "https://example.com/hook" in shown
        assert len(shown) < 2000
    task = make_task(installation, callback_url="https://example.com/hook")
    fail_task(installation, task)
    report = answer("tasks", "show", task)
    assert report["task"]["status"] == "failed"
    assert report["deliveries"][0]["delivery"]["url"] == "https://example.com/hook"
    assert [entry["kind"] for entry in report["ledger"]] == ["reserve", "release"]
    shown = invoke("tasks", "show", task).stdout
    for text in ("studio", "501 it went wrong", "https://example.com/hook", "release"):
        assert text in shown
    assert "https://example.com/hook" in invoke("callbacks", "ls", task).stdout
    assert "due now" in invoke("callbacks", "resend", task).stderr


def test_a_link_leads_to_the_running_service(tmp_path, monkeypatch):
    """It has the port of the service that runs on this data folder, not the default one."""
    invoke("accounts", "create", "studio")
    running = RunningService(pid=1, data=str(tmp_path), base_url="http://127.0.0.1:4711", own_database=False)
    monkeypatch.setattr("bodydouble.cli.running_services.service_of", lambda at: running if at == tmp_path else None)
    assert invoke("accounts", "link", "studio").stdout.startswith("http://127.0.0.1:4711/sign-in?link=")


def test_a_failed_task_is_retried_as_a_new_one(installation):
    """Only the new id is printed; the task has the same inputs and a reservation of its own."""
    failed = make_task(installation)
    fail_task(installation, failed)
    new = invoke("tasks", "retry", failed).stdout.strip()
    assert new != str(failed)
    report = answer("tasks", "show", new)
    assert report["task"]["inputs"] == INPUTS
    assert report["task"]["status"] == "pending"
    assert [entry["kind"] for entry in report["ledger"]] == ["reserve"]


def test_a_stuck_task_goes_into_the_queue_again(installation):
    """A task of a missing worker is queued again, whatever the state of its workflow."""
    task = make_task(installation)
    asyncio.run(_with_tasks(installation, lambda tasks: tasks.start_task(task, "gone:/work")))
    with psycopg.connect(installation, autocommit=True) as connection:
        connection.execute("update dbos.workflow_status set status = 'PENDING', executor_id = 'gone:/work'")
        assert invoke("tasks", "retry", task).stdout.strip() == str(task)
        assert _queued(connection) == [str(task)]
        connection.execute("update dbos.workflow_status set status = 'ERROR'")
        invoke("tasks", "retry", task)
        assert _queued(connection) == [str(task)]


def _queued(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute("select workflow_uuid from dbos.workflow_status where status = 'ENQUEUED'").fetchall()
    return [row[0] for row in rows]


def test_a_task_of_a_running_worker_is_not_retried(installation):
    """The error names the worker."""
    task = make_task(installation)
    asyncio.run(_with_tasks(installation, lambda tasks: tasks.start_task(task, "alive:/work")))
    with psycopg.connect(installation) as connection:
        connection.execute("insert into executor (id, host, pid, version) values ('alive:/work', 'here', 1, '1')")
    assert "alive:/work is running this task" in invoke("tasks", "retry", task, status=1).stderr


def test_tasks_are_cancelled_once(installation):
    """A waiting task ends at once and releases its credits; the second time it was finished."""
    task = make_task(installation)
    assert "cancelling" in invoke("tasks", "cancel", task).stderr
    assert "was finished already" in invoke("tasks", "cancel", task).stderr
    assert answer("accounts", "list")[0]["balance"] == 100


def test_a_wrong_data_folder_is_reported(tmp_path, monkeypatch):
    """No database is created in it."""
    monkeypatch.delenv("DATABASE_URL")
    result = invoke("accounts", "list", "--data", tmp_path / "nowhere", status=2)
    assert "no installation found: looked in" in result.stderr
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    "command",
    [
        *(("keys", name) for name in ("create", "list", "disable", "enable", "rotate")),
        *(
            ("accounts", name)
            for name in ("create", "list", "grant", "limits", "label", "identities", "admit", "disable", "enable")
        ),
        *(("tasks", name) for name in ("ls", "show", "retry", "cancel")),
        *(("callbacks", name) for name in ("ls", "resend")),
        *(("ledger", name) for name in ("check", "show")),
        *(("switch", name) for name in ("off", "on", "ls")),
    ],
)
def test_every_command_shows_an_example(command):
    """--help of a command has an example that can be copied."""
    assert f"bodydouble {' '.join(command)}" in invoke(*command, "--help").output


@pytest.mark.parametrize("group", ["accounts", "callbacks", "keys", "models", "switch", "tasks"])
def test_ls_and_list_are_the_same(group):
    """Each group of commands has both names."""
    short, long = (invoke(group, name, "--help").output.split() for name in ("ls", "list"))
    usage = short.index("ls")
    assert short[usage + 1 :] == long[usage + 1 :]


def test_a_user_of_the_identity_provider_is_admitted(monkeypatch):
    """Issuer and subject identify the user; a missing account or provider is reported."""
    invoke("accounts", "create", "studio")
    assert "BODYDOUBLE_OIDC_ISSUER" in invoke("accounts", "admit", "studio", "17", status=2).stderr
    monkeypatch.setenv("BODYDOUBLE_OIDC_ISSUER", "https://sign-in.example")
    assert "nowhere" in invoke("accounts", "admit", "nowhere", "17", status=1).stderr
    invoke("accounts", "admit", "studio", "17")
    [known] = answer("accounts", "identities")
    assert (known["issuer"], known["subject"], known["account"]) == ("https://sign-in.example", "17", "studio")
    assert "not yet" in invoke("accounts", "identities").stdout


def test_labels_are_completed():
    """They need no installation."""
    from bodydouble.cli.completion import complete_label

    assert (complete_label(""), complete_label("b")) == (["none", "eu", "china", "both"], ["both"])


def test_names_are_completed_from_the_installation(installation):
    """The shell offers existing accounts, keys and tasks."""
    from bodydouble.cli.completion import complete_account, complete_key, complete_task

    task = make_task(installation)
    secret = invoke("keys", "create", "--account", "studio", "--name", "ci").stdout.strip()

    class Context:
        params: dict[str, Any] = {}  # noqa: RUF012

    context: Any = Context()
    assert complete_account(context, "st") == ["studio"]
    assert complete_account(context, "x") == []
    assert complete_key(context, "") == [("1", f"{secret[:9]}… ci")]
    assert complete_task(context, str(task)[:10]) == [(str(task), "pending")]
