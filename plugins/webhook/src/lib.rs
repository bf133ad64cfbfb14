//! Webhooks: each event becomes a signed POST, after the Standard Webhooks specification.
