/** What /v1/select answers with: its name, the ending of such files, and what for. */
export const FORMATS: [string, string, string][] = [
  ["hdf5", "hdf5", "A snapshot that swiftsimio opens"],
  ["npz", "npz", "For numpy"],
  ["parquet", "parquet", "For pandas, polars, DuckDB"],
  ["feather", "arrow", "An Arrow file, for pandas, polars, R"],
  ["arrow", "arrows", "An Arrow stream"],
  ["csv", "csv", "For spreadsheets"],
  ["ecsv", "ecsv", "For astropy, with units"],
  ["votable", "vot", "For TOPCAT, with units"],
  ["json", "json", "For the web"],
];
