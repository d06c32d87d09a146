-- Rows of earlier versions say whether results are reportable in the words of today.
UPDATE samples SET outcome = CASE outcome
    WHEN 'released' THEN 'reportable'
    WHEN 'released_with_remarks' THEN 'reportable_with_remarks'
    ELSE 'not_reportable' END
WHERE outcome IN ('released', 'released_with_remarks', 'invalid');
