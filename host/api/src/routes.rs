//! All routes on one screen, by who uses them.

mod auth;
mod counted;
mod events;
mod evidence;
mod health;
mod openapi;
mod page_hooks;
mod pairing;
mod plugins;
mod sessions;

use axum::Router;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use auth::ABSOLUTE as LOGIN_LIFETIME;
pub(crate) use health::DatabaseCheck;
pub(crate) use plugins::push::PATH as COMPONENTS;
pub use plugins::push::{COMPONENT_BYTES, HANDLER_BYTES};

use crate::{console, openapi::Description, problem, state::Api};

/// The routes that the OpenAPI description tells of.
pub(crate) fn described() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Description::begin())
        // FinBot: kept exactly.
        .routes(routes!(pairing::init_session))
        .routes(routes!(pairing::read_qr))
        .routes(routes!(pairing::request_code))
        .routes(routes!(pairing::read_status))
        // The console and scripts.
        .routes(routes!(sessions::list_sessions))
        .routes(routes!(sessions::read_session, sessions::delete_session))
        .routes(routes!(sessions::disconnect_session))
        .routes(routes!(sessions::reconnect_session))
        .routes(routes!(sessions::refresh_session_qr))
        .routes(routes!(sessions::logout_session))
        .routes(routes!(sessions::read_history))
        .routes(routes!(evidence::read_evidence))
        .routes(routes!(evidence::read_evidence_screenshot))
        .routes(routes!(events::read_events))
        // Plugins: console and command line.
        .routes(routes!(plugins::slots::list_plugins))
        .routes(routes!(
            plugins::versions::list_plugin_versions,
            plugins::push::push_plugin_version
        ))
        .routes(routes!(plugins::versions::read_plugin_version))
        .routes(routes!(plugins::activate::activate_plugin))
        .routes(routes!(plugins::activate::roll_back_plugin))
        .routes(routes!(plugins::replay::replay_plugin))
        .routes(routes!(plugins::history::read_plugin_history))
        .routes(routes!(plugins::parked::list_parked))
        // Handlers alone.
        .routes(routes!(plugins::logs::read_handler_log))
        .routes(routes!(plugins::subscriptions::list_subscriptions))
        .routes(routes!(
            plugins::subscriptions::read_subscription,
            plugins::put_subscription::put_subscription,
            plugins::subscriptions::remove_subscription
        ))
        .routes(routes!(plugins::switches::enable_subscription))
        .routes(routes!(plugins::switches::disable_subscription))
        .routes(routes!(plugins::switches::seek_subscription))
        .routes(routes!(plugins::dead_letters::list_dead_letters))
        .routes(routes!(plugins::dead_letters::requeue_dead_letters))
        .routes(routes!(plugins::dead_letters::read_dead_letter))
        // The knowledge of WhatsApp's page.
        .routes(routes!(page_hooks::show::read_page_hooks))
        .routes(routes!(page_hooks::push::push_page_hooks))
        .routes(routes!(page_hooks::show::read_page_hooks_version))
        .routes(routes!(page_hooks::change::activate_page_hooks))
        .routes(routes!(page_hooks::change::roll_back_page_hooks))
        .routes(routes!(page_hooks::change::check_page_hooks))
        // Sign-in to the console.
        .routes(routes!(auth::setup::read_setup, auth::setup::claim_setup))
        .routes(routes!(auth::login::login))
        .routes(routes!(auth::login::refresh_login))
        .routes(routes!(auth::login::logout))
        .routes(routes!(auth::caller::read_me))
        .routes(routes!(auth::caller::issue_ws_ticket))
        // Operations.
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(openapi::read_openapi))
}

/// All routes but the sockets, which `server` adds.
pub(crate) fn router() -> Router<Api> {
    let (described, _) = described().split_for_parts();
    described
        .merge(openapi::page())
        .merge(console::routes())
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
}
