//! Which knowledge of the page is in use: let in, tried, swapped, taken back, and watched for drift.
