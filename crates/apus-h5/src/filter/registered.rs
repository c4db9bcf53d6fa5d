//! The names of filters that are not decoded here, so that an error can say what a file needs.

/// The name under which a filter is registered with the HDF Group (<https://github.com/HDFGroup/hdf5_plugins>), or known.
pub(super) fn name_of(id: u16) -> Option<&'static str> {
    Some(match id {
        4 => "szip",
        257 => "hzip",
        305 => "lzo",
        307 => "bzip2",
        32001 => "blosc",
        32002 => "mafisc",
        32003 => "snappy",
        32005 => "apax",
        32006 => "cbf",
        32007 => "jpeg-xr",
        32008 => "bitshuffle",
        32009 => "spdp",
        32010 => "lpc-rice",
        32011 => "ccsds-123",
        32012 => "jpeg-ls",
        32013 => "zfp",
        32014 => "fpzip",
        32016 => "b3d",
        32017 => "sz",
        32018 => "fcidecomp",
        32019 => "jpeg",
        32020 => "vbz",
        32021 => "fapec",
        32022 => "bitgroom",
        32023 => "granular bitround",
        32024 => "sz3",
        32025 => "delta-rice",
        32026 => "blosc2",
        32027 => "flac",
        32028 => "h265",
        _ => return None,
    })
}
