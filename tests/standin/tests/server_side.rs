//! The server and the phone, met by a page that is played by hand over the
//! WebSocket: what is accepted, what is refused, what ends when.

#![expect(clippy::unwrap_used, reason = "a test should end where a step failed")]

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use standin::{Config, Fault, FaultKind, PhoneError, Settings, Standin, Target, Via};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

const DEADLINE: Duration = Duration::from_secs(30);
const PHONE: &str = "5511987654321";

/// A page played by hand.
struct HandPage {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    refs: Vec<String>,
}

impl HandPage {
    /// Connects without a link and receives its refs.
    async fn unlinked(standin: &Standin) -> Self {
        let mut page = Self::connected(standin).await;
        page.say(&json!({"type": "hello", "boot": 1, "browser": "b1", "noise": "Tg==", "identity": "SQ==", "userAgent": "hand", "link": null})).await;
        let frame = page.hear("pair-device").await;
        page.refs = serde_json::from_value(frame["refs"].clone()).unwrap();
        page
    }

    async fn connected(standin: &Standin) -> Self {
        let (socket, _) =
            connect_async(format!("ws://{}/ws/chat", standin.http_address())).await.unwrap();
        let mut page = Self { socket, refs: Vec::new() };
        page.hear("challenge").await;
        page
    }

    async fn say(&mut self, frame: &Value) {
        self.socket.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The next frame of this type; others are passed over.
    async fn hear(&mut self, kind: &str) -> Value {
        let heard = async {
            loop {
                let message =
                    self.socket.next().await.expect("the server closed the socket").unwrap();
                let Message::Text(text) = message else { continue };
                let frame: Value = serde_json::from_str(&text).unwrap();
                if frame["type"] == kind {
                    return frame;
                }
            }
        };
        tokio::time::timeout(DEADLINE, heard).await.unwrap_or_else(|_| panic!("no frame {kind}"))
    }

    async fn show(&mut self, standin: &Standin, index: usize, life_ms: u64) {
        let shown = self.refs[index].clone();
        self.say(&json!({"type": "ref-shown", "ref": shown, "lifeMs": life_ms})).await;
        standin
            .wait_for(DEADLINE, |state| {
                state.pages.iter().any(|page| page.reference.as_ref() == Some(&shown))
            })
            .await
            .unwrap();
    }

    fn qr(&self, index: usize) -> String {
        format!("{},Tg==,SQ==,c2VjcmV0,1", self.refs[index])
    }

    /// Accepts what the phone offers, as a page does that trusts it.
    async fn accept(&mut self) {
        let offer = self.hear("pair-success").await;
        self.say(&json!({"type": "pair-accepted", "deviceId": offer["deviceId"]})).await;
    }

    async fn ask_code(&mut self, phone_number: &str, code: &str) -> Value {
        self.say(&json!({"type": "companion-hello", "id": 7, "phoneNumber": phone_number, "code": code, "showNotification": true})).await;
        self.hear("companion-hello-answer").await["refusal"].clone()
    }
}

async fn standin_with(settings: Settings) -> Standin {
    Standin::start(Config { settings, ..Config::default() }).await.unwrap()
}

#[tokio::test]
async fn the_phone_links_the_page_that_shows_the_ref() {
    let standin = standin_with(Settings::default()).await;
    let mut page = HandPage::unlinked(&standin).await;
    page.show(&standin, 0, 60_000).await;
    let qr = page.qr(0);
    let (linked, ()) = tokio::join!(standin.scan_payload_as(&qr, PHONE, "Ann"), page.accept());
    let linked = linked.unwrap();
    assert_eq!((linked.phone_number.as_str(), linked.via), (PHONE, Via::Qr));
    let state = standin.state();
    assert_eq!(state.devices.len(), 1);
    assert_eq!(state.devices[0].name, "Ann");
    assert_eq!(
        standin.scan_payload(&qr).await.unwrap_err(),
        PhoneError::QrExpired,
        "a ref links once"
    );
}

#[tokio::test]
async fn a_ref_that_is_not_shown_now_is_refused() {
    let standin = standin_with(Settings::default()).await;
    let mut page = HandPage::unlinked(&standin).await;
    assert_eq!(page.refs.len(), 6);
    page.show(&standin, 0, 60_000).await;
    page.show(&standin, 1, 60_000).await;
    assert_eq!(
        standin.scan_payload(&page.qr(0)).await.unwrap_err(),
        PhoneError::QrExpired,
        "rotated away"
    );
    assert_eq!(
        standin.scan_payload(&page.qr(2)).await.unwrap_err(),
        PhoneError::QrExpired,
        "not yet shown"
    );
    page.show(&standin, 2, 0).await;
    assert_eq!(
        standin.scan_payload(&page.qr(2)).await.unwrap_err(),
        PhoneError::QrExpired,
        "its time is over"
    );
}

#[tokio::test]
async fn a_qr_with_other_keys_or_fields_is_refused() {
    let standin = standin_with(Settings::default()).await;
    let mut page = HandPage::unlinked(&standin).await;
    page.show(&standin, 0, 60_000).await;
    let other_keys = format!("{},AAAA,SQ==,c2VjcmV0,1", page.refs[0]);
    assert_eq!(standin.scan_payload(&other_keys).await.unwrap_err(), PhoneError::QrNotValid);
    assert_eq!(
        standin.scan_payload("https://example.com").await.unwrap_err(),
        PhoneError::QrNotValid
    );
}

#[tokio::test]
async fn a_page_that_does_not_trust_the_answer_is_not_linked() {
    let standin = standin_with(Settings::default()).await;
    let mut page = HandPage::unlinked(&standin).await;
    page.show(&standin, 0, 60_000).await;
    let qr = page.qr(0);
    let refuse = async {
        let offer = page.hear("pair-success").await;
        page.say(&json!({"type": "pair-rejected", "deviceId": offer["deviceId"]})).await;
    };
    let (linked, ()) = tokio::join!(standin.scan_payload(&qr), refuse);
    assert_eq!(linked.unwrap_err(), PhoneError::PageRefused);
    assert!(standin.state().devices.is_empty());
}

#[tokio::test]
async fn a_code_links_only_its_number_with_the_right_text() {
    let standin = standin_with(Settings::default()).await;
    let mut page = HandPage::unlinked(&standin).await;
    assert_eq!(standin.enter_code(PHONE, "ABCD1234").await.unwrap_err(), PhoneError::CodeNotAsked);
    assert_eq!(page.ask_code(PHONE, "ABCD1234").await, Value::Null);
    assert_eq!(
        standin.enter_code("15550100", "ABCD1234").await.unwrap_err(),
        PhoneError::CodeNotAsked
    );
    assert_eq!(standin.enter_code(PHONE, "ZZZZ9999").await.unwrap_err(), PhoneError::CodeWrong);
    let (linked, ()) = tokio::join!(standin.enter_code(PHONE, "abcd-1234"), page.accept());
    assert_eq!(linked.unwrap().via, Via::Code);
}

#[tokio::test]
async fn a_code_expires_and_a_number_in_the_wrong_form_gets_none() {
    let standin = standin_with(Settings { code_life_ms: 0, ..Settings::default() }).await;
    let mut page = HandPage::unlinked(&standin).await;
    assert_eq!(page.ask_code(PHONE, "ABCD1234").await, Value::Null);
    assert_eq!(standin.enter_code(PHONE, "ABCD1234").await.unwrap_err(), PhoneError::CodeExpired);
    for number in ["+5511987654321", "0511987654321", "123", "55 11 98765 4321", "1234567890123456"]
    {
        assert_eq!(page.ask_code(number, "ABCD1234").await["code"], 400, "{number}");
    }
}

#[tokio::test]
async fn a_refusal_strikes_as_often_as_asked_and_only_its_target() {
    let standin = standin_with(Settings::default()).await;
    let mut page = HandPage::unlinked(&standin).await;
    standin.add_fault(
        Fault::once(FaultKind::CodeRefused { status: 429 }).at(Target::phone_number(PHONE)),
    );
    assert_eq!(page.ask_code("15550100", "ABCD1234").await, Value::Null);
    let refusal = page.ask_code(PHONE, "ABCD1234").await;
    assert_eq!(
        refusal,
        json!({"name": "IQErrorRateOverlimit", "text": "rate-overlimit", "code": 429})
    );
    assert_eq!(page.ask_code(PHONE, "ABCD1234").await, Value::Null);
    assert!(standin.state().faults.is_empty());
}

#[tokio::test]
async fn an_account_that_wants_a_passkey_is_not_linked() {
    let standin = standin_with(Settings::default()).await;
    let mut page = HandPage::unlinked(&standin).await;
    page.show(&standin, 0, 60_000).await;
    standin.add_fault(Fault::once(FaultKind::PasskeyRequired));
    assert_eq!(standin.scan_payload(&page.qr(0)).await.unwrap_err(), PhoneError::PasskeyRequired);
    page.hear("passkey-required").await;
    assert!(standin.state().devices.is_empty());
}

#[tokio::test]
async fn an_account_has_at_most_so_many_devices() {
    let standin = standin_with(Settings { devices_per_account: 1, ..Settings::default() }).await;
    let mut page = HandPage::unlinked(&standin).await;
    page.show(&standin, 0, 60_000).await;
    let qr = page.qr(0);
    let (linked, ()) = tokio::join!(standin.scan_payload_as(&qr, PHONE, "Ann"), page.accept());
    linked.unwrap();
    let mut second = HandPage::unlinked(&standin).await;
    second.show(&standin, 0, 60_000).await;
    assert_eq!(
        standin.scan_payload_as(&second.qr(0), PHONE, "Ann").await.unwrap_err(),
        PhoneError::TooManyDevices
    );
    assert_eq!(standin.unlink(PHONE), 1);
    assert_eq!(standin.unlink(PHONE), 0);
    assert!(standin.state().devices.is_empty());
}

#[tokio::test]
async fn a_live_fault_reaches_the_next_page_when_none_is_there() {
    let standin = standin_with(Settings::default()).await;
    standin.add_fault(Fault::once(FaultKind::RotateRef));
    assert_eq!(standin.state().faults.len(), 1);
    let mut page = HandPage::unlinked(&standin).await;
    page.hear("rotate-ref").await;
    assert!(standin.state().faults.is_empty());
}

#[tokio::test]
async fn a_link_that_nobody_issued_is_refused() {
    let standin = standin_with(Settings::default()).await;
    let mut page = HandPage::connected(&standin).await;
    page.say(&json!({"type": "hello", "boot": 1, "browser": "b1", "noise": "Tg==", "identity": "SQ==", "userAgent": "hand", "link": {"deviceId": "made.up", "proof": "AAAA"}})).await;
    page.hear("login-refused").await;
}

#[tokio::test]
async fn stopping_ends_the_pages_sockets() {
    let standin = standin_with(Settings::default()).await;
    let mut page = HandPage::unlinked(&standin).await;
    standin.stop().await;
    let ended = async {
        while let Some(Ok(message)) = page.socket.next().await {
            if matches!(message, Message::Close(_)) {
                break;
            }
        }
    };
    tokio::time::timeout(DEADLINE, ended).await.expect("the socket stayed open");
}
