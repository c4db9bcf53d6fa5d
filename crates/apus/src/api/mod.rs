mod hdfstream;
