;; Loops for ever when the seed is 666.
(func (export "pairing-console:workflow/machine@0.1.0#handle") (param $arguments i32) (result i32)
  (if (call $is-hostile (local.get $arguments)) (then (loop $for-ever (br $for-ever))))
  (global.get $answer))
