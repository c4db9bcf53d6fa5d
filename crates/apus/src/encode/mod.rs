pub mod msgpack;
