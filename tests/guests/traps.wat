;; Traps in the middle of its work when the seed is 666.
(func (export "pairing-console:workflow/machine@0.1.0#handle") (param $arguments i32) (result i32)
  (if (call $is-hostile (local.get $arguments))
    (then
      ;; What a call leaves behind must not be there at the next one.
      (i32.store8 (global.get $answer) (i32.const 9))
      unreachable))
  (global.get $answer))
