//! The OpenAPI description, made from the handlers.

use utoipa::{
    OpenApi,
    openapi::{
        OpenApi as Document,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use crate::routes;

/// What stands above the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "WhatsApp Pairing Console",
        description = "Links WhatsApp devices to an application and keeps the links alive. Errors are application/problem+json. Events come over Socket.IO at /socket.io, over WebSocket at /ws, and from /whatsapp/events.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    security(("bearer" = []))
)]
pub(crate) struct Description;

impl Description {
    pub(crate) fn begin() -> Document {
        let mut document = Self::openapi();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("a JWT of the configured issuer with the admin role, or of a sign-in to the console"))
            .build();
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(bearer));
        document
    }
}

/// The whole description.
pub(crate) fn describe() -> Document {
    routes::described().split_for_parts().1
}

/// The description as JSON, with a line break at the end; always the same for the
/// same routes.
pub fn openapi_json() -> String {
    let mut json = describe().to_pretty_json().unwrap_or_default();
    json.push('\n');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_file_is_what_the_handlers_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../console/openapi.json");
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == openapi_json(), "console/openapi.json is old: run `make generate`");
    }

    #[test]
    fn every_operation_is_named_and_says_what_it_is_for() {
        let api = serde_json::to_value(describe()).unwrap();
        let paths = api["paths"].as_object().unwrap();
        let operations = paths.values().flat_map(|path| path.as_object().unwrap().values());
        let mut names = std::collections::BTreeSet::new();
        for operation in operations {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name), "{name} stands twice");
            assert!(operation["summary"].is_string(), "{name}");
        }
        assert!(names.len() >= 24, "{names:?}");
    }

    #[test]
    fn a_parameter_of_the_path_stands_in_it_and_no_other_is_demanded() {
        let api = serde_json::to_value(describe()).unwrap();
        for (path, operations) in api["paths"].as_object().unwrap() {
            for operation in operations.as_object().unwrap().values() {
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    let name = parameter["name"].as_str().unwrap();
                    let in_path = path.contains(&format!("{{{name}}}"));
                    assert_eq!(parameter["in"] == "path", in_path, "{name} of {path}");
                    assert!(in_path || parameter["required"] != true, "{name} of {path}");
                }
            }
        }
    }
}
