"""What Prometheus is told: requests by route and status, seconds by model, answers by what produced them."""

from __future__ import annotations

from tests.serve.shop import Client, bundle

from thence.serve import Store, create_app


def figures(client: Client) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def test_every_request_is_counted_by_its_route() -> None:
    client = Client(create_app(bundle()))
    version = client.json("/v1/related/phone")["model_version"]
    for path in (
        "/v1/related/case",
        "/v1/related/unheard-of",
        "/v1/related/phone?k=0",
        "/nowhere",
        "/v1/compare/tv",
    ):
        client.get(path)
    told = figures(client)
    asked = "/v1/related/{item_id:path}"
    statuses = {
        code: told[f'thence_requests_total{{route="{asked}",status="{code}"}}'] for code in (200, 404, 422)
    }
    assert statuses == {200: 2.0, 404: 1.0, 422: 1.0}
    assert told['thence_requests_total{route="other",status="404"}'] == 1.0
    assert told[f'thence_request_seconds_count{{model_version="{version}",route="{asked}"}}'] == 4.0
    assert told['thence_answers_total{answered_by="model",question="related"}'] == 2.0
    assert told['thence_answers_total{answered_by="table",question="compare"}'] == 1.0


def test_errors_of_ours_are_counted_and_services_count_alone(monkeypatch) -> None:
    one, two = Client(create_app(bundle())), Client(create_app(bundle()))
    monkeypatch.setattr("thence.serve.answers.one_item", lambda *_: 1 / 0)
    one.get("/v1/items/phone")
    assert figures(one)['thence_requests_total{route="/v1/items/{item_id:path}",status="500"}'] == 1.0
    assert not any(name.startswith("thence_requests_total") for name in figures(two))


def test_figures_are_there_before_a_model_is() -> None:
    client = Client(create_app(Store()))
    assert client.get("/v1/model").status_code == 503
    answer = client.get("/metrics")
    assert (
        answer.headers["content-type"].startswith("text/plain")
        and "version=0.0.4" in answer.headers["content-type"]
    )
    assert figures(client)['thence_requests_total{route="/v1/model",status="503"}'] == 1.0


def test_what_is_refused_at_the_door_is_counted() -> None:
    client = Client(create_app(bundle()))
    assert client.get("/v1/model", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/v1/admin/reload", method="POST").status_code == 403
    told = figures(client)
    assert {told[f'thence_requests_total{{route="other",status="{code}"}}'] for code in (400, 403)} == {1.0}
