//! The way out: requests of handlers go to granted hosts, at judged addresses, and nowhere else.
