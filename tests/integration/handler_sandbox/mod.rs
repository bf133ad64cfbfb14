//! What a handler reaches of the world, and what it can't: components that try
//! every door, under the host's own runtime, on a real store.

mod grants;
mod harness;
mod hollow;
mod limits;
mod secrets;
