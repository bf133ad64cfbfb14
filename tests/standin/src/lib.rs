//! The stand-in for WhatsApp in tests and in the demo: its web page, the
//! server behind the page and the phone that links devices.
//!
//! It imitates what a driver of the page can see, and is proven by an
//! unmodified `whatsapp-web.js` (see `tests/judge.rs`). It is not for
//! anything beyond linking: no message is ever sent or kept.

mod config;
mod control;
mod faults;
mod handle;
mod links;
mod page_files;
mod page_socket;
mod protocol;
mod qr_image;
mod serve;
mod tls;
mod world;

pub use config::{Config, Settings};
pub use faults::{Fault, FaultKind, LogoutEvent, Target};
pub use handle::{Standin, WaitError};
pub use qr_image::{QrImageError, read_qr, read_qr_data_url};
pub use world::{DeviceView, Linked, PageView, PhoneError, StateView, Via};
