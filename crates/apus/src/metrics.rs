//! Metrics in the text format that Prometheus reads. Labels come from closed sets: route patterns, methods, statuses.

use std::{fmt, time::Duration};

use apus_data::values::Archive;
use apus_h5::CacheStats;
use axum::http::Method;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, text::encode},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::ConstGauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use crate::{memory::Budget, work::Work};

/// The service's metrics.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    sent_bytes: Family<RouteLabels, Counter>,
    aborted: Family<RouteLabels, Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

impl Metrics {
    /// Counters at zero; the archive and the work keep their own.
    pub(crate) fn new(archive: &Archive, work: &Work, bodies: &Budget) -> Self {
        let mut registry = Registry::with_prefix("apus");
        registry.register_collector(Box::new(ArchiveCollector(archive.clone())));
        let requests = Family::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        let durations = Family::new_with_constructor(new_durations as fn() -> Histogram);
        registry.register_with_unit(
            "http_request_duration",
            "Time from a request's head to the last byte of its answer",
            Unit::Seconds,
            durations.clone(),
        );
        let sent_bytes = Family::default();
        registry.register_with_unit("http_sent", "Bytes of answers sent", Unit::Bytes, sent_bytes.clone());
        let aborted = Family::default();
        registry.register("http_aborted", "Answers that ended before their last byte", aborted.clone());
        let gauges = work.gauges();
        registry.register("answers_in_progress", "Answers that are being sent block by block", gauges.answers.clone());
        registry.register("reads_in_progress", "Threads that are reading and encoding", gauges.reads.clone());
        let refused = gauges.refused.clone();
        registry.register("refused", "Requests refused with a 503 because no permit came free in time", refused);
        let stalled = gauges.stalled.clone();
        registry.register("stalled", "Answers that were broken off because their clients did not read them", stalled);
        registry.register_collector(Box::new(WaitingCollector { work: work.clone(), bodies: bodies.clone() }));
        Self { registry, requests, durations, sent_bytes, aborted }
    }

    /// Counts a request whose answer has ended.
    pub fn count_request(
        &self,
        route: &str,
        method: &Method,
        status: u16,
        duration: Duration,
        sent_bytes: u64,
        complete: bool,
    ) {
        let labels = RouteLabels { route: route.to_owned() };
        let request = RequestLabels { route: route.to_owned(), method: method_label(method), status };
        self.requests.get_or_create(&request).inc();
        self.durations.get_or_create(&labels).observe(duration.as_secs_f64());
        self.sent_bytes.get_or_create(&labels).inc_by(sent_bytes);
        if !complete {
            self.aborted.get_or_create(&labels).inc();
        }
    }

    /// All metrics as `OpenMetrics` text.
    pub fn to_text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The name of a method that HTTP knows; clients may invent others, and each would be a series of its own for ever.
fn method_label(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// From 1 ms to about 17 minutes.
fn new_durations() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 4.0, 11))
}

/// Reads at each scrape what is held on behalf of clients.
#[derive(Debug)]
struct WaitingCollector {
    work: Work,
    bodies: Budget,
}

impl Collector for WaitingCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        for (name, help, n_bytes) in [
            ("answers_waiting", "Bytes of answers that wait for their clients", self.work.waiting_bytes()),
            ("bodies_held", "Bytes of request bodies, with what is made of them", self.bodies.used_bytes()),
        ] {
            let gauge = ConstGauge::new(i64::try_from(n_bytes).unwrap_or(i64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, Some(&Unit::Bytes), gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// Reads the archive's own counters at each scrape.
#[derive(Debug)]
struct ArchiveCollector(Archive);

impl Collector for ArchiveCollector {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let read_bytes = ConstCounter::new(self.0.catalog.read_bytes());
        let (help, unit) = ("Bytes read from files", Some(&Unit::Bytes));
        read_bytes.encode(encoder.encode_descriptor("file_read", help, unit, read_bytes.metric_type())?)?;
        let caches = self.0.catalog.caches();
        let caches = [
            ("index_cache", caches.index_stats()),
            ("chunk_cache", caches.chunk_stats()),
            ("statistics_cache", self.0.statistics.stats()),
        ];
        for (name, CacheStats { hits, misses, size_bytes }) in caches {
            for (event, help, count) in
                [("hits", "Look-ups found in the cache", hits), ("misses", "Look-ups not found in the cache", misses)]
            {
                let (name, counter) = (format!("{name}_{event}"), ConstCounter::new(count));
                counter.encode(encoder.encode_descriptor(&name, help, None, counter.metric_type())?)?;
            }
            let gauge = ConstGauge::new(i64::try_from(size_bytes).unwrap_or(i64::MAX));
            let unit = Some(&Unit::Bytes);
            gauge.encode(encoder.encode_descriptor(name, "Bytes in the cache", unit, gauge.metric_type())?)?;
        }
        let Some(stats) = self.0.statistics.folder_stats() else { return Ok(()) };
        for (name, help, count) in [
            ("zone_maps_loaded", "Zone maps read from disk", stats.loaded),
            ("zone_maps_missing", "Zone maps that were not on disk", stats.missing),
            ("zone_maps_refused", "Zone maps on disk that were damaged or of another file", stats.refused),
            ("zone_maps_saved", "Zone maps written to disk", stats.saved),
            ("zone_maps_failed", "Zone maps that could not be written to disk", stats.failed),
        ] {
            let counter = ConstCounter::new(count);
            counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
        }
        let gauge = ConstGauge::new(i64::try_from(stats.size_bytes).unwrap_or(i64::MAX));
        let (help, unit) = ("Zone maps on disk", Some(&Unit::Bytes));
        gauge.encode(encoder.encode_descriptor("zone_maps", help, unit, gauge.metric_type())?)
    }
}
