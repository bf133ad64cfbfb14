//! One file for each slot: its world, and the trait that it serves.

mod fan_out;
mod renderer;
mod workflow;

pub(crate) use fan_out::{FanOutWorld, subscriptions};
pub(crate) use renderer::RendererWorld;
pub(crate) use workflow::WorkflowWorld;
