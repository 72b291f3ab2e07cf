"""From video files to features: decoding, extraction, the demo's videos.
The scripts and Utils.inputs import from here."""
