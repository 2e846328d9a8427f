DROP POLICY writers ON staged_envelope;
DROP POLICY writers ON staged_batch;
