"""The page `mirrorfield serve` opens, and the process behind it."""
