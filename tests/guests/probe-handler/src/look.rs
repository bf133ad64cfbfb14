//! What can be seen of the host by WASI.

use wasip2::{
    cli::{environment, stdin, stdout},
    clocks::{monotonic_clock, wall_clock},
    filesystem::preopens,
    random,
    sockets::{
        instance_network::instance_network,
        ip_name_lookup::resolve_addresses,
        network::{IpAddressFamily, IpSocketAddress, Ipv4SocketAddress},
        tcp_create_socket::create_tcp_socket,
        udp_create_socket::create_udp_socket,
    },
};

use crate::say;

/// Tries every door.
pub(crate) fn around() {
    say(&format!("env {:?}", environment::get_environment()));
    say(&format!("args {:?}", environment::get_arguments()));
    say(&format!("cwd {:?}", environment::initial_cwd()));
    say(&format!("folders {}", preopens::get_directories().len()));
    say(&format!("stdin {:?}", stdin::get_stdin().blocking_read(10).map_err(|_| "closed")));
    let written = stdout::get_stdout().blocking_write_and_flush(b"by standard output\n");
    say(&format!("stdout {}", written.is_ok()));
    let now = wall_clock::now();
    say(&format!("wall {}.{:09}", now.seconds, now.nanoseconds));
    say(&format!("monotonic {}", monotonic_clock::now()));
    say(&format!("random {:?}", random::random::get_random_bytes(8)));
    say(&format!("insecure {:?}", random::insecure::get_insecure_random_bytes(8)));
    say(&format!("seed {:?}", random::insecure_seed::insecure_seed()));
    let network = instance_network();
    say(&format!("lookup {:?}", resolve_addresses(&network, "localhost").map(|_| "resolved")));
    say(&format!("udp {:?}", create_udp_socket(IpAddressFamily::Ipv4).map(|_| "made")));
    let tcp = create_tcp_socket(IpAddressFamily::Ipv4).and_then(|socket| {
        let address = Ipv4SocketAddress { address: (127, 0, 0, 1), port: 1 };
        socket.start_connect(&network, IpSocketAddress::Ipv4(address))?;
        socket.subscribe().block();
        socket.finish_connect().map(|_| "connected")
    });
    say(&format!("tcp {tcp:?}"));
}
