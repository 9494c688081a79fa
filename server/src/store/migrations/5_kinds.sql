-- A kind of alert is called as its field in JSON.
UPDATE alert SET kind = 'silent_s' WHERE kind = 'silent';
UPDATE fired SET kind = 'silent_s' WHERE kind = 'silent';
