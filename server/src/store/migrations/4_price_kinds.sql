-- Which price of its symbol an alert is about: last, bid or ask.
ALTER TABLE alert ADD COLUMN price_kind TEXT NOT NULL DEFAULT 'last';
ALTER TABLE fired ADD COLUMN price_kind TEXT NOT NULL DEFAULT 'last';
