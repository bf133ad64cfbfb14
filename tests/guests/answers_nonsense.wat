;; When the seed is 666, answers with a list far beyond its memory.
(func (export "pairing-console:workflow/machine@0.1.0#handle") (param $arguments i32) (result i32)
  (if (call $is-hostile (local.get $arguments))
    (then
      (i32.store offset=8 (global.get $answer) (i32.const 65536))
      (i32.store offset=12 (global.get $answer) (i32.const 100))))
  (global.get $answer))
