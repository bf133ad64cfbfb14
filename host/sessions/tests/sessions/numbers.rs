//! A number that is linked on this host is linked once more only by who means it.

use pairing_core::{
    command::{Command, RefusalCode},
    session::Account,
    workflow::EngineReport,
};
use pairing_sessions::CommandError;

use crate::host::{Host, init, name};

fn expecting(number: &str, confirm: bool) -> Command {
    Command::Init { expected_phone_number: Some(number.into()), confirm }
}

fn code_for(number: &str, confirm: bool) -> Command {
    Command::RequestPairingCode { phone_number: number.into(), confirm }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_another_session_has_linked_needs_a_confirmation() {
    let host = Host::start().await;
    let (sales, other) = (name("sales"), name("other"));
    host.init(&sales).await;
    host.init(&other).await;
    let account = Account { phone_number: "5511999990001".into(), name: None };
    host.say(&sales, EngineReport::Ready(account)).await;
    host.until(&sales, |session| session.view.linked).await;
    let inputs = host.inputs(&other).await.len();

    // Old and new forms of a number are the same phone.
    for number in ["5511999990001", "551199990001"] {
        for command in [expecting(number, false), code_for(number, false)] {
            match host.command(&other, command).await {
                Err(CommandError::Refused { code: RefusalCode::AlreadyLinked, message }) => {
                    assert!(message.contains("`sales`") && message.contains("confirm"));
                    assert!(!message.contains("9999"), "{message}");
                }
                _ => panic!("{number} was not refused"),
            }
        }
    }
    // Nor does a name that is new get round it.
    let refused = host.command(&name("new"), expecting("5511999990001", false)).await;
    assert!(matches!(refused, Err(CommandError::Refused { .. })));
    assert!(host.sessions.session(&name("new")).is_none());
    assert_eq!(host.inputs(&other).await.len(), inputs, "the workflow was not asked");

    host.engine.answer_code(&other, Ok("PLANTED1"));
    host.command(&other, code_for("5511999990001", true)).await.unwrap();
    host.command(&other, expecting("5511999990001", true)).await.unwrap();
    host.command(&other, code_for("4915112345678", false)).await.unwrap();
    host.command(&other, init()).await.unwrap();
    // To the session that has it nothing is refused here.
    host.command(&sales, expecting("551199990001", false)).await.unwrap();
    host.sessions.stop().await;
}
