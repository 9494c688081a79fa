//! The server over real sockets. One program: each further one would be compiled and
//! linked with everything again.

mod access;
mod alerts;
mod bounds;
mod candles;
mod certificates;
mod clock;
mod cluster;
mod exchange;
mod files;
mod http;
mod kill;
mod metrics;
mod moves;
mod names;
mod openapi;
mod process;
mod protocol;
mod python;
mod recordings;
mod relay;
mod replay;
mod rfc6455;
mod store;
mod tls;
mod tokens;
mod tools;
mod transports;
mod uploads;
mod webhook;
mod websocket;
