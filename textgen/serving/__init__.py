"""The page and an API over HTTP: requests become streams of one engine, and their texts go out as they are written."""
