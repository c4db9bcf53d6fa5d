//! What kind of bytes a file holds, by its name or its beginning.

use apus_h5::source::ByteSource;

/// How much of a file without a known suffix is looked at.
const SNIFFED_BYTES: u64 = 4096;

/// The media type that goes with the suffix of `name`, where that is a known one.
pub fn by_name(name: &str) -> Option<&'static str> {
    let (_, suffix) = name.rsplit_once('.')?;
    Some(match suffix.to_ascii_lowercase().as_str() {
        "hdf5" | "h5" | "hdf" | "he5" => "application/x-hdf5",
        "yml" | "yaml" => "application/yaml;charset=UTF-8",
        "txt" | "md" | "rst" | "log" | "csv" | "dat" => "text/plain;charset=UTF-8",
        "json" => "application/json",
        "png" => "image/png",
        "pdf" => "application/pdf",
        "gz" | "tgz" => "application/gzip",
        "tar" => "application/x-tar",
        "zip" => "application/zip",
        _ => return None,
    })
}

/// The media type of a file: by its name, or text where it begins as text (a README), or bytes.
pub fn of(name: &str, source: &dyn ByteSource) -> &'static str {
    by_name(name)
        .unwrap_or_else(|| if begins_as_text(source) { "text/plain;charset=UTF-8" } else { "application/octet-stream" })
}

fn begins_as_text(source: &dyn ByteSource) -> bool {
    let n_bytes = usize::try_from(source.len().min(SNIFFED_BYTES)).unwrap_or_default();
    let mut bytes = vec![0; n_bytes];
    if source.read_at(0, &mut bytes).is_err() {
        return false;
    }
    let is_text = |text: &str| !text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\x0c'));
    match str::from_utf8(&bytes) {
        Ok(text) => is_text(text),
        // The last character may be cut in two.
        Err(error) if error.error_len().is_none() && source.len() > SNIFFED_BYTES => {
            bytes.get(..error.valid_up_to()).and_then(|valid| str::from_utf8(valid).ok()).is_some_and(is_text)
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use apus_h5::source::Memory;

    use super::*;

    #[test]
    fn names_decide_and_unknown_names_leave_it_to_the_bytes() {
        let of_bytes = |name, bytes: &[u8]| of(name, &Memory::new(bytes.to_vec()));
        assert_eq!(of_bytes("a.HDF5", b""), "application/x-hdf5");
        assert_eq!(of_bytes("README", "Grüße\n".as_bytes()), "text/plain;charset=UTF-8");
        assert_eq!(of_bytes("core", b"\x7fELF\x00"), "application/octet-stream");
        assert_eq!(of_bytes("notes.v2", b"\xff\xfe"), "application/octet-stream");
        let cut = format!("{}ü and more", "x".repeat(4095));
        assert_eq!(of_bytes("README", cut.as_bytes()), "text/plain;charset=UTF-8");
    }
}
