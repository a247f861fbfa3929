"""Size and speed of the console: bytes and response time of the first page, and time of a page deep in the list.

    python bench/console.py [--quick]

Starts one service with many finished tasks. Fetches list pages near the beginning and near the end, by the pages' own
cursor. For comparison, the same database is queried with ``offset``, the usual alternative. With Debian's Chromium, the
first page is also timed in a browser. On a loaded machine compare the columns, not the milliseconds. The last line is
one flat JSON object.
"""

import argparse
import base64
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import psycopg

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from bodydouble.store import EmbeddedPostgres
from live_service import LiveService

ROWS = 20
"""Tasks on one page of the list."""
FILL = """
insert into task (id, account_id, model, param, inputs, status, source, credits, stage, fraction, result,
                  created_at, started_at, completed_at)
select (lpad(to_hex(extract(epoch from at)::bigint * 1000), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid,
    a.id, 'wan/2-2-animate-replace', '{}', '{"resolution": "480P"}', 'success', 'api', 6, 'done', 1,
    '{"code": 200, "message": "success", "media_keys": [], "media_info": {}}', at, at, at
from account as a, generate_series(1, %s) as n, lateral (select now() - make_interval(secs => %s - n) as at) as moment
where a.name = 'default'
"""
OFFSET = """
select id, model, status, source, inputs, result, credits, created_at from task
where account_id = (select id from account where name = 'default')
order by id desc limit %s offset %s
"""


def median_milliseconds(call: Callable[[], object], times: int) -> float:
    """Median time of ``times`` calls, after one call to warm up."""
    call()
    taken: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1000)
    return round(statistics.median(taken), 2)


def browser_figures(sign_in: str, url: str) -> dict[str, float]:
    """Milliseconds until the first page is interactive in a new browser; empty without Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        return {}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(sign_in)
        page.wait_for_url(url + "/")
        timings: list[float] = []
        for _ in range(5):
            page.goto(url + "/tasks")
            page.goto(url + "/")
            timings.append(page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"))
        browser.close()
    return {"interactive_ms": round(statistics.median(timings), 1)}


def first_page_bytes(client: httpx.Client) -> int:
    """Uncompressed size of the page and all assets that it loads, including nested modules."""
    page = client.get("/").text
    root = re.search(r'"(/console/assets/[0-9a-f]+)/', page)
    assert root is not None
    wanted, seen = {path.rpartition("/")[2] for path in re.findall(r'"(/console/assets/[^"]+)"', page)}, {}
    while names := wanted - seen.keys():
        for name in names:
            seen[name] = client.get(f"{root[1]}/{name}").content
            wanted |= {found.decode() for found in re.findall(rb'from "\./([^"]+)"', seen[name])}
    return len(page.encode()) + sum(map(len, seen.values()))


def main() -> None:
    """Print a table and the JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="10,000 tasks and few calls; under a minute")
    quick = parser.parse_args().quick
    count, times = (10_000, 15) if quick else (200_000, 60)
    live = LiveService().start("--no-worker")
    try:
        database = EmbeddedPostgres(live.folder / "postgres").url
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(FILL.encode(), (count, count))
            connection.execute("analyze task")
            deepest = connection.execute("select id from task order by id limit 1 offset %s", (ROWS,)).fetchone()
            assert deepest is not None
            cursor = base64.urlsafe_b64encode(deepest[0].bytes).decode().rstrip("=")

            def counted(offset: int) -> object:
                return connection.execute(OFFSET.encode(), (ROWS, offset)).fetchall()

            figures: dict[str, float] = {
                "offset_first_ms": median_milliseconds(lambda: counted(0), times),
                "offset_last_ms": median_milliseconds(lambda: counted(count - ROWS), times),
            }
        browser = browser_figures(live.sign_in, live.url)
        link = subprocess.run(
            [sys.executable, "-m", "bodydouble", "accounts", "link", "default", "--data", str(live.folder)],
            check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip
        with httpx.Client(base_url=live.url, headers={"accept": "text/html"}, timeout=30) as client:
            client.post("/sign-in", data={"link": link.partition("=")[2]})
            last = client.get(f"/tasks?cursor={cursor}").text
            assert last.count("row-link") == ROWS, "the last page is a full one"
            figures |= {
                "first_page_bytes": first_page_bytes(client),
                "playground_ms": median_milliseconds(lambda: client.get("/"), times),
                "list_first_ms": median_milliseconds(lambda: client.get("/tasks"), times),
                "list_last_ms": median_milliseconds(lambda: client.get(f"/tasks?cursor={cursor}"), times),
            }
        figures |= browser
    finally:
        live.stop()
        live.remove()
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    about = {"machine": platform.platform(), "cpus": os.cpu_count(), "commit": commit, "tasks": count}
    for name, value in figures.items():
        print(f"{name:20} {value:>12,}")
    print(json.dumps(about | figures))


if __name__ == "__main__":
    main()
