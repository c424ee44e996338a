"""Real clients take the sandbox for Jira."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading

import jira
import pytest
import requests

from jira_pipeline.errors import SettingsError
from jira_pipeline.sandbox import generate_site, serve


@pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
def test_jira_python_finds_its_dialect_and_reads_everything(serve, flavour):
    client = serve(flavour)
    variables = client.sandbox.credentials
    if flavour == "cloud":
        options = {"basic_auth": (variables["JIRA_EMAIL"], variables["JIRA_API_TOKEN"])}
    else:
        options = {"token_auth": variables["JIRA_PERSONAL_ACCESS_TOKEN"]}
    site = jira.JIRA(variables["JIRA_SERVER"], max_retries=0, timeout=10, **options)
    assert site._is_cloud == (flavour == "cloud")
    found = site.search_issues("project = APP ORDER BY key ASC", maxResults=False)
    expected = [issue for issue in client.sandbox.issues() if issue["key"].startswith("APP-")]
    assert {issue.id: issue.raw["fields"] for issue in found} == {each["id"]: each["fields"] for each in expected}
    assert {project.key for project in site.projects()} == {"APP", "OPS", "ORDER", "WEB"}
    assert site.issue("APP-1").fields.summary == client.sandbox.issue("APP-1")["fields"]["summary"]
    site.transition_issue("APP-1", "Done")
    assert client.sandbox.issue("APP-1")["fields"]["status"]["name"] == "Done"


def test_many_connections_at_once_get_whole_answers(cloud):
    expected = cloud.search("project = APP ORDER BY key", fields="*all", maxResults=100).content
    wrong = []

    def read():
        with requests.Session() as session:
            session.auth = cloud.session.auth
            for _ in range(5):
                params = {"jql": "project = APP ORDER BY key", "fields": "*all", "maxResults": 100}
                answer = session.get(cloud.base + "/rest/api/3/search/jql", params=params, timeout=20)
                if answer.content != expected:
                    wrong.append(answer)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(cloud.sandbox.requests) == 41


def test_one_connection_carries_many_requests(cloud):
    with socket.create_connection(("127.0.0.1", int(cloud.base.rpartition(":")[2])), timeout=5) as connection:
        request = b"GET /rest/api/3/serverInfo HTTP/1.1\r\nHost: x\r\n\r\n"
        connection.sendall(request * 3)
        received = b""
        while received.count(b"deploymentType") < 3:
            received += connection.recv(65536)
    assert received.count(b"HTTP/1.1 200 OK") == 3


@pytest.mark.parametrize(
    "noise", [b"\x16\x03\x01\r\n\r\n", b"GET /\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_a_connection_that_does_not_speak_http_is_closed(cloud, noise):
    with socket.create_connection(("127.0.0.1", int(cloud.base.rpartition(":")[2])), timeout=5) as connection:
        connection.sendall(noise)
        assert connection.recv(1000) == b""


def test_after_stop_the_port_is_closed(serve):
    client = serve("cloud")
    client.sandbox.stop()
    with pytest.raises(requests.ConnectionError):
        client.get("/rest/api/3/serverInfo")


def test_serving_from_a_terminal_prints_what_a_client_needs_and_ends_with_ctrl_c():
    program = (
        "from jira_pipeline.sandbox import generate_site, serve; serve(generate_site(issues=5), 'datacenter', port=0)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        lines = [process.stdout.readline() for _ in range(4)]
        variables = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines[1:3])
        headers = {"Authorization": f"Bearer {variables['JIRA_PERSONAL_ACCESS_TOKEN']}"}
        answer = requests.get(f"{variables['JIRA_SERVER']}/rest/api/2/myself", headers=headers, timeout=10)
        assert answer.status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def test_a_port_that_is_taken_is_named():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=f"Port {port}"):
            serve(generate_site(issues=1), port=port)
