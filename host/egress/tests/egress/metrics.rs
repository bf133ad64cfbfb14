//! What the metrics say.

use http::Request;
use http_body_util::{BodyExt, Full};
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::peers::{Script, TIMEOUTS, answer_ok, egress_to, fetch, permit, send};

#[tokio::test(start_paused = true)]
async fn requests_and_bytes_are_counted_for_each_handler() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let script = Script::new(|mut stream| async move {
        // The body follows its head at once, and is taken for the next one.
        crate::peers::read_head(&mut stream).await;
        answer_ok(stream).await;
    });
    let hangs = egress_to(&script);
    let egress = egress_to(&Script::new(answer_ok));
    let mine = permit(&egress, &["http://a.example/"]);
    fetch(&egress, &mine, "http://a.example/").await.unwrap();
    let post = Request::post("http://a.example/").body(Full::from("12345\r\n\r\n")).unwrap();
    send(&egress, &mine, post).await.unwrap().into_body().collect().await.unwrap();
    fetch(&egress, &mine, "http://b.example/").await.unwrap_err();
    let slow = permit(&hangs, &["http://a.example/"]);
    let waiting = fetch(&hangs, &slow, "http://a.example/");
    tokio::time::timeout(TIMEOUTS.first_byte / 2, waiting).await.unwrap_err();

    let text = recorder.handle().render();
    let mut lines: Vec<&str> = text.lines().filter(|line| line.starts_with("handler_")).collect();
    lines.sort_unstable();
    let expected = [
        r#"handler_http_bytes_total{handler="crm",direction="received"} 4"#,
        r#"handler_http_bytes_total{handler="crm",direction="sent"} 9"#,
        r#"handler_http_requests_total{handler="crm",result="abandoned"} 1"#,
        r#"handler_http_requests_total{handler="crm",result="answered"} 2"#,
        r#"handler_http_requests_total{handler="crm",result="denied"} 1"#,
    ];
    assert_eq!(lines, expected);
}
