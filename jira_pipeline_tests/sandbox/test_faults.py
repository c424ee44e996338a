"""Everything that can go wrong can be made to go wrong: at an exact request, or at random with a seed."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import pytest
import requests

from jira_pipeline.sandbox import BLEMISHES, Fault, generate_site

PROJECT = "project = 10000 ORDER BY created ASC, key ASC"
SEARCH = "/rest/api/3/search/jql"


def statuses(client, count, path="/rest/api/3/myself"):
    """The statuses of so many requests in a row."""
    return [client.get(path).status_code for _ in range(count)]


class TestWhen:
    """Which requests meet a fault."""

    def test_the_first_request_that_matches_by_default(self, cloud):
        cloud.sandbox.faults.add(Fault("server_error", status=503))
        assert statuses(cloud, 3) == [503, 200, 200]

    def test_the_nth_and_some_after_it(self, cloud):
        cloud.sandbox.faults.add("server_error", nth=2, times=2)
        assert statuses(cloud, 5) == [200, 500, 500, 200, 200]

    def test_all_from_the_nth_on_until_cleared(self, cloud):
        cloud.sandbox.faults.add("server_error", nth=2, times=None)
        assert statuses(cloud, 4) == [200, 500, 500, 500]
        cloud.sandbox.faults.clear()
        assert statuses(cloud, 1) == [200]

    def test_only_requests_to_the_path_and_by_the_method_count(self, cloud):
        cloud.sandbox.faults.add("server_error", path="/search/jql", method="POST")
        assert statuses(cloud, 1) == [200]
        assert cloud.search(PROJECT).status_code == 200
        assert cloud.post(SEARCH, jql=PROJECT).status_code == 500

    def test_only_requests_that_a_test_of_them_accepts(self, cloud):
        cloud.sandbox.faults.add("server_error", when=lambda request: "nextPageToken" in request.query)
        token = cloud.search(PROJECT).json()["nextPageToken"]
        assert cloud.search(PROJECT, nextPageToken=token).status_code == 500

    def test_a_rule_can_be_taken_back_and_counts(self, cloud):
        rule = cloud.sandbox.faults.add("server_error", times=None)
        assert statuses(cloud, 2) == [500, 500]
        cloud.sandbox.faults.remove(rule)
        assert statuses(cloud, 1) == [200]
        assert rule.fired == 2

    def test_what_happened_is_kept(self, cloud):
        cloud.sandbox.faults.add("server_error")
        statuses(cloud, 2)
        assert [(each.kind, each.path) for each in cloud.sandbox.faults.incidents] == [
            ("server_error", "/rest/api/3/myself")
        ]
        assert [each.status for each in cloud.sandbox.requests] == [500, 200]

    def test_an_unknown_kind_is_refused(self, cloud):
        with pytest.raises(ValueError, match="unknown fault 'earthquake'"):
            cloud.sandbox.faults.add("earthquake")

    def test_by_hand_over_http(self, cloud):
        address = f"{cloud.sandbox.url}/sandbox/faults"
        requests.post(address, json={"kind": "server_error", "status": 502, "path": "myself", "nth": 2}, timeout=10)
        assert statuses(cloud, 3) == [200, 502, 200]
        assert requests.post(address, json={"kind": "earthquake"}, timeout=10).status_code == 400

    def test_random_faults_are_the_same_for_the_same_seed(self, serve):
        def play(seed):
            client = serve("cloud")
            client.sandbox.faults.randomly(seed, rate=0.3, kinds=["server_error", "too_many_requests"])
            return statuses(client, 60)

        first = play(1)
        assert first == play(1) != play(2)
        assert 5 < sum(status != 200 for status in first) < 30

    def test_random_faults_come_at_most_twice_in_a_row(self, cloud):
        cloud.sandbox.faults.randomly(4, rate=1.0, kinds=["server_error"])
        assert [status == 200 for status in statuses(cloud, 9)] == [False, False, True] * 3


class TestTransport:
    """Faults of status and connection."""

    @pytest.mark.parametrize("wait", [0, 7, 1847])
    def test_429_tells_seconds_to_wait(self, cloud, wait):
        cloud.sandbox.faults.add(Fault("too_many_requests", retry_after=wait))
        answer = cloud.get("/rest/api/3/myself")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, str(wait))
        assert answer.headers["RateLimit-Reason"] == "jira-burst-based"

    def test_429_tells_a_date_by_the_sites_clock(self, cloud):
        cloud.sandbox.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        cloud.sandbox.faults.add(Fault("too_many_requests", retry_after="date"))
        answer = cloud.get("/rest/api/3/myself")
        assert parsedate_to_datetime(answer.headers["Retry-After"]) == cloud.sandbox.now + timedelta(seconds=2)

    def test_429_of_data_center_tells_the_bucket(self, datacenter):
        datacenter.sandbox.faults.add(Fault("too_many_requests", retry_after=0))
        headers = datacenter.get("/rest/api/2/myself").headers
        assert headers.keys() >= {"Retry-After", "X-RateLimit-Interval-Seconds", "X-RateLimit-FillRate"}

    def test_429_may_tell_nothing(self, cloud):
        cloud.sandbox.faults.add("too_many_requests")
        assert "Retry-After" not in cloud.get("/rest/api/3/myself").headers

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_server_errors_are_html(self, cloud, status):
        cloud.sandbox.faults.add(Fault("server_error", status=status))
        answer = cloud.get("/rest/api/3/myself")
        assert answer.status_code == status
        assert answer.headers["Content-Type"].startswith("text/html")

    def test_a_connection_is_reset_before_the_headers(self, cloud):
        cloud.sandbox.faults.add("reset_before_headers")
        with pytest.raises(requests.ConnectionError, match=r"reset|aborted"):
            cloud.get("/rest/api/3/myself")
        assert statuses(cloud, 1) == [200]

    def test_a_connection_is_reset_after_the_headers(self, cloud):
        cloud.sandbox.faults.add("reset_after_headers")
        with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
            cloud.search(PROJECT, fields="*all")

    def test_a_body_is_cut(self, cloud):
        cloud.sandbox.faults.add("cut_body")
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            cloud.search(PROJECT, fields="*all")

    def test_an_answer_never_comes(self, cloud):
        cloud.sandbox.faults.add("hang")
        with pytest.raises(requests.ReadTimeout):
            cloud.session.get(cloud.base + "/rest/api/3/myself", timeout=0.3)
        assert statuses(cloud, 1) == [200]

    def test_a_hanging_request_does_not_keep_the_sandbox_from_stopping(self, cloud):
        cloud.sandbox.faults.add("hang")
        with pytest.raises(requests.ReadTimeout):
            cloud.session.get(cloud.base + "/rest/api/3/myself", timeout=0.1)
        begin = time.monotonic()
        cloud.sandbox.stop()
        assert time.monotonic() - begin < 2

    def test_a_login_page_comes_with_200(self, cloud):
        cloud.sandbox.faults.add("html_page")
        answer = cloud.search(PROJECT)
        assert answer.status_code == 200
        assert answer.text.startswith("<!DOCTYPE html>")

    def test_an_empty_body_comes_with_200(self, cloud):
        cloud.sandbox.faults.add("empty_body")
        answer = cloud.search(PROJECT)
        assert (answer.status_code, answer.content) == (200, b"")

    def test_json_ends_too_early(self, cloud):
        cloud.sandbox.faults.add("malformed_json")
        answer = cloud.search(PROJECT)
        assert int(answer.headers["Content-Length"]) == len(answer.content)
        with pytest.raises(requests.JSONDecodeError):
            answer.json()

    def test_an_answer_redirects_elsewhere(self, cloud):
        cloud.sandbox.faults.add(Fault("redirect", location="http://localhost:1/rest/api/3/myself"))
        answer = cloud.session.get(cloud.base + "/rest/api/3/myself", allow_redirects=False, timeout=10)
        assert (answer.status_code, answer.headers["Location"]) == (302, "http://localhost:1/rest/api/3/myself")

    def test_a_good_answer_warns_of_the_limit(self, cloud):
        cloud.sandbox.faults.add("near_limit")
        answer = cloud.get("/rest/api/3/myself")
        assert (answer.status_code, answer.headers["X-RateLimit-NearLimit"]) == (200, "true")

    @pytest.mark.parametrize(("kind", "status"), [("unauthorized", 401), ("forbidden", 403), ("captcha", 403)])
    def test_access_is_refused(self, cloud, kind, status):
        cloud.sandbox.faults.add(kind)
        assert cloud.get("/rest/api/3/myself").status_code == status

    def test_a_captcha_is_told_by_headers(self, cloud):
        cloud.sandbox.faults.add("captcha")
        headers = cloud.get("/rest/api/3/myself").headers
        assert headers["X-Seraph-LoginReason"] == "AUTHENTICATION_DENIED"
        assert headers["X-Authentication-Denied-Reason"].startswith("CAPTCHA_CHALLENGE")


class TestIdentity:
    """A site that takes the client for nobody."""

    def test_a_cloud_search_finds_nothing_for_an_anonymous_user(self, cloud):
        cloud.sandbox.faults.add("anonymous", path="search/jql")
        answer = cloud.search(PROJECT)
        assert (answer.status_code, answer.json()["issues"]) == (200, [])
        assert answer.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
        assert "X-AACCOUNTID" not in answer.headers
        assert cloud.search(PROJECT).json()["issues"]

    @pytest.mark.parametrize(("fault", "status"), [("anonymous", 401), (Fault("anonymous", status=400), 400)])
    def test_a_node_of_data_center_forgets_who_asks(self, datacenter, fault, status):
        datacenter.sandbox.faults.add(fault)
        answer = datacenter.get("/rest/api/2/search", jql=PROJECT)
        assert (answer.status_code, answer.headers["X-AUSERNAME"]) == (status, "anonymous")
        assert datacenter.get("/rest/api/2/search", jql=PROJECT).headers["X-AUSERNAME"] != "anonymous"

    def test_the_user_directory_is_forbidden(self, cloud, datacenter):
        for client, paths in (
            (cloud, ["/rest/api/3/users/search", "/rest/api/3/users"]),
            (datacenter, ["/rest/api/2/user/list", "/rest/api/2/user/search?username=."]),
        ):
            client.sandbox.forbid_user_directory()
            assert [client.get(path).status_code for path in paths] == [403, 403]
            client.sandbox.forbid_user_directory(False)
            assert [client.get(path).status_code for path in paths] == [200, 200]


class TestPages:
    """Pages that are not what they should be."""

    def test_a_token_has_expired(self, cloud):
        cloud.sandbox.faults.add("expired_token")
        token = cloud.search(PROJECT).json()["nextPageToken"]
        answer = cloud.search(PROJECT, nextPageToken=token)
        assert answer.status_code == 400
        assert answer.json()["errorMessages"] == ["The provided next page token is invalid or expired."]

    def test_a_token_is_repeated(self, cloud):
        cloud.sandbox.faults.add("repeated_token", times=None)
        token = cloud.search(PROJECT).json()["nextPageToken"]
        assert cloud.search(PROJECT, nextPageToken=token).json()["nextPageToken"] == token

    def test_a_token_is_missing_though_more_follows(self, cloud):
        cloud.sandbox.faults.add("missing_token")
        page = cloud.search(PROJECT).json()
        assert "nextPageToken" not in page
        assert len(page["issues"]) == 50 < len(cloud.ids(PROJECT))

    def test_an_empty_page_has_a_token_that_goes_on_where_it_should(self, cloud):
        expected = cloud.walk(PROJECT, maxResults=50)
        cloud.sandbox.faults.add("empty_page", nth=2)
        pages = cloud.walk(PROJECT, maxResults=50)
        assert pages[1] == []
        assert [pages[0], *pages[2:]] == expected

    def test_a_page_is_shorter_than_asked_and_nothing_is_lost(self, cloud):
        expected = [issue for page in cloud.walk(PROJECT, maxResults=50) for issue in page]
        cloud.sandbox.faults.add(Fault("short_page", size=3), nth=2)
        pages = cloud.walk(PROJECT, maxResults=50)
        assert [len(page) for page in pages[:2]] == [50, 3]
        assert [issue for page in pages for issue in page] == expected

    def test_pages_of_data_center_are_short_or_empty_with_the_right_total(self, datacenter):
        total = len(datacenter.ids(PROJECT))
        for fault, length in ((Fault("short_page", size=3), 3), (Fault("empty_page"), 0)):
            datacenter.sandbox.faults.add(fault)
            page = datacenter.get("/rest/api/2/search", jql=PROJECT, maxResults=50).json()
            assert (len(page["issues"]), page["total"]) == (length, total)

    def test_a_result_was_cut(self, cloud):
        cloud.sandbox.faults.add("truncated_result")
        assert "truncated" in cloud.search(PROJECT).json()["warnings"][0]
        assert "warnings" not in cloud.search(PROJECT).json()

    def test_a_bulk_fetch_splits_an_issue_and_writes_times_as_text(self, cloud):
        issue = max(cloud.sandbox.issues(), key=lambda each: each["changelog"]["total"])
        cloud.sandbox.faults.add(Fault("split_histories", size=4), times=None)
        path = "/rest/api/3/changelog/bulkfetch"
        first = cloud.post(path, issueIdsOrKeys=[issue["id"]]).json()
        assert len(first["issueChangeLogs"][0]["changeHistories"]) == 4
        cloud.sandbox.faults.clear()
        rest = cloud.post(path, issueIdsOrKeys=[issue["id"]], nextPageToken=first["nextPageToken"]).json()
        found = [h["id"] for page in (first, rest) for h in page["issueChangeLogs"][0]["changeHistories"]]
        assert found == [history["id"] for history in issue["changelog"]["histories"]]
        cloud.sandbox.faults.add("iso_created")
        text = cloud.post(path, issueIdsOrKeys=[issue["id"]]).json()
        assert isinstance(text["issueChangeLogs"][0]["changeHistories"][0]["created"], str)

    def test_the_site_changes_while_pages_are_read(self, cloud):
        before = len(cloud.ids(PROJECT))
        cloud.sandbox.faults.add(
            Fault("site_change", action=lambda: cloud.sandbox.create_issue("APP", summary="appeared")),
            path="search/jql",
            nth=2,
        )
        walked = [issue for page in cloud.walk(PROJECT, maxResults=50) for issue in page]
        assert len(walked) == before + 1

    def test_drifting_tokens_let_an_issue_be_skipped(self, cloud):
        jql = "project = 10000 AND updated >= 0 ORDER BY updated ASC, key ASC"
        everything = cloud.ids(jql)
        cloud.sandbox.tokens_drift = True
        first = cloud.search(jql, maxResults=20).json()
        cloud.sandbox.update_issue(first["issues"][0]["id"], summary="moves to the end")
        rest = cloud.walk(jql, maxResults=20, nextPageToken=first["nextPageToken"])
        seen = {int(issue["id"]) for page in [first["issues"], *rest] for issue in page}
        assert set(everything) - seen == {everything[20]}


class TestUnreadableIssues:
    """One issue that spoils whatever page it is on."""

    def page(self, client, issue):
        return client.search(f"id in ({issue['id']}, APP-9)", fields="*all")

    @pytest.mark.parametrize("blemish", BLEMISHES)
    def test_every_blemish_shows_wherever_the_fields_are_sent_until_it_is_healed(self, cloud, blemish):
        issue = cloud.sandbox.issue("APP-5")
        good = self.page(cloud, issue).content
        cloud.sandbox.spoil_issue("APP-5", blemish)
        bad = self.page(cloud, issue)
        assert bad.content != good
        assert cloud.get("/rest/api/3/issue/APP-5").content != good
        assert cloud.sandbox.issue("APP-5") == issue
        assert int(issue["id"]) in cloud.ids("project = APP")
        assert cloud.search("key = APP-9", fields="*all").status_code == 200
        cloud.sandbox.heal_issue("APP-5")
        assert self.page(cloud, issue).content == good

    def spoiled(self, cloud, blemish):
        cloud.sandbox.spoil_issue("APP-5", blemish)
        return self.page(cloud, cloud.sandbox.issue("APP-5"))

    def test_blemishes_of_the_fields(self, cloud):
        def fields(blemish):
            issues = {(each or {}).get("key"): each for each in self.spoiled(cloud, blemish).json()["issues"]}
            return issues.get("APP-5", {}).get("fields", "absent")

        assert fields("null") == "absent"
        assert fields("no_fields") == "absent"
        assert fields("null_fields") is None
        assert "status" not in fields("no_status")
        with pytest.raises(ValueError, match="20226"):
            datetime.fromisoformat(fields("absurd_date")["created"])
        assert not isinstance(fields("wrong_types")["summary"], str)
        assert len(fields("huge_description")["description"]) == 5_000_000

    def test_blemishes_of_the_page(self, cloud):
        with pytest.raises(json.JSONDecodeError):
            json.loads(self.spoiled(cloud, "malformed").content)
        assert self.spoiled(cloud, "server_error").status_code == 500


class TestIndex:
    """Searches that trail behind the database."""

    def test_a_write_is_found_after_the_lag_of_the_sites_clock(self, cloud):
        cloud.sandbox.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        cloud.sandbox.index_lag_seconds = 60
        key = cloud.sandbox.create_issue("APP", summary="new")
        issue_id = int(cloud.sandbox.issue(key)["id"])
        assert issue_id not in cloud.ids("project = APP")
        assert cloud.get(f"/rest/api/3/issue/{key}").status_code == 200
        cloud.sandbox.advance(timedelta(seconds=59))
        assert issue_id not in cloud.ids("project = APP")
        cloud.sandbox.advance(timedelta(seconds=1))
        assert issue_id in cloud.ids("project = APP")

    def test_an_update_is_not_found_by_its_time_before_the_lag_has_passed(self, cloud):
        cloud.sandbox.now = now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        cloud.sandbox.index_lag_seconds = 60
        cloud.sandbox.update_issue("APP-9", summary="changed")
        jql = f"project = APP AND updated >= {int(now.timestamp() * 1000)}"
        assert cloud.ids(jql) == []
        cloud.sandbox.advance(timedelta(minutes=1))
        assert len(cloud.ids(jql)) == 1

    def test_a_deleted_issue_makes_a_page_short_until_the_lag_has_passed(self, cloud):
        cloud.sandbox.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        cloud.sandbox.index_lag_seconds = 60
        before = cloud.search(PROJECT, maxResults=20).json()["issues"]
        cloud.sandbox.delete_issue(before[3]["id"])
        assert cloud.search(PROJECT, maxResults=20).json()["issues"] == before[:3] + before[4:]

    def test_named_issues_are_reconciled(self, cloud):
        cloud.sandbox.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        cloud.sandbox.index_lag_seconds = 60
        issue_id = cloud.sandbox.issue(cloud.sandbox.create_issue("APP", summary="new"))["id"]
        page = cloud.search("project = APP ORDER BY created DESC", reconcileIssues=issue_id).json()
        assert page["issues"][0] == {"id": issue_id}
        many = ",".join(str(number) for number in range(51))
        assert cloud.search("project = APP", reconcileIssues=many).status_code == 400

    @pytest.mark.parametrize("flavour", ["cloud", "datacenter"])
    def test_an_issue_is_forgotten_for_a_while(self, serve, flavour):
        client = serve(flavour)
        client.sandbox.now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        before = client.ids(PROJECT)
        client.sandbox.forget_issue("APP-9", seconds=30)
        forgotten = int(client.sandbox.issue("APP-9")["id"])
        assert client.ids(PROJECT) == [each for each in before if each != forgotten]
        assert client.ids(f"project = APP AND id = {forgotten}") == []
        client.sandbox.advance(timedelta(seconds=31))
        assert client.ids(PROJECT) == before


@pytest.mark.parametrize(("flavour", "context_path"), [("cloud", ""), ("datacenter", "/jira")])
def test_latency_passes_before_every_answer(serve, flavour, context_path):
    client = serve(flavour, site=generate_site(issues=5), latency_seconds=0.15, context_path=context_path)
    begin = time.monotonic()
    assert statuses(client, 2, "/rest/api/2/myself") == [200, 200]
    assert time.monotonic() - begin >= 0.3


def test_answers_are_compressed_on_request_only(serve):
    for compress, encoding in ((True, "gzip"), (False, None)):
        client = serve("cloud", compress=compress)
        answer = client.search(PROJECT, fields="*all")
        assert answer.headers.get("Content-Encoding") == encoding
        assert len(answer.json()["issues"]) == 50
