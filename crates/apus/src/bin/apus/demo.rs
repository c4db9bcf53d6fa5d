//! `apus demo`.

use std::{
    net::{SocketAddr, TcpListener},
    process::ExitCode,
};

use apus::{
    auth::Authenticator,
    config::{Config, DEFAULT_LISTEN, parse_listen},
};
use apus_data::store::{Mount, MountSource};
use clap::Args;

use crate::serve::start;

/// The simulation: a snapshot of a small cosmic web at redshift 0, and its friends-of-friends catalogue.
const FILES: [(&str, &[u8]); 2] = [
    ("cosmic_web_0002.hdf5", include_bytes!("../../../../../demo/cosmic_web_0002.hdf5")),
    ("fof_cosmic_web_0002.hdf5", include_bytes!("../../../../../demo/fof_cosmic_web_0002.hdf5")),
];

/// Serve a small embedded simulation, for a first look
///
/// A small cosmic web of 216000 gas and 216000 dark-matter particles at redshift 0, with its halo catalogue. It is open to
/// everyone, but on this machine only. Where a login is required, use the account demo with the password demo.
#[derive(Args)]
#[command(after_help = "Try the examples that it prints. To serve your own folder: apus serve DIR")]
pub(crate) struct Demo {
    /// The address to listen on [default: 127.0.0.1:8000, or a free port if that is taken]
    #[arg(long, value_name = "[ADDRESS:]PORT", env = "APUS_LISTEN", value_parser = parse_listen)]
    listen: Option<SocketAddr>,
}

impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let mut config = Config::of_mounts(vec![Mount::new("", MountSource::Memory(FILES.to_vec()))]);
        config.listen = self.listen.unwrap_or_else(free_address);
        anyhow::ensure!(
            config.listen.ip().is_loopback(),
            "the demo listens on this machine only: use a loopback address such as 127.0.0.1:8000"
        );
        start(config, |_| async { Ok(Authenticator::demo().await?) }, greeting)
    }
}

fn free_address() -> SocketAddr {
    let is_free = TcpListener::bind(DEFAULT_LISTEN).is_ok();
    if is_free { DEFAULT_LISTEN } else { SocketAddr::new(DEFAULT_LISTEN.ip(), 0) }
}

fn greeting(url: &str) -> String {
    let file = FILES[0].0;
    format!(
        r#"Apus serves a small simulation at {url} (stop with Ctrl-C)

In a browser:
  {url}/explore/{file}

In a shell:
  curl '{url}/v1/list/'
  curl '{url}/v1/info/{file}'
  curl '{url}/v1/data/{file}?object=/PartType0/Coordinates&rows=0:5&format=json'

In Python (pip install numpy requests):
  import io, numpy, requests
  answer = requests.get("{url}/v1/data/{file}", params={{"object": "/PartType0/Coordinates"}})
  positions = numpy.load(io.BytesIO(answer.content))
  print(positions.shape, positions.mean(axis=0))

In Python with swiftsimio (pip install swiftsimio hdfstream):
  import hdfstream, swiftsimio
  data = swiftsimio.load(hdfstream.open("{url}/hdfstream", "{file}"))
  print(data.gas.coordinates)"#
    )
}
