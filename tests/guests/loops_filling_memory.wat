;; When the seed is 666, fills 8 MiB again and again: each time is one
;; instruction, which nothing ends half way.
(func (export "pairing-console:workflow/machine@0.1.0#handle") (param $arguments i32) (result i32)
  (if (call $is-hostile (local.get $arguments))
    (then
      (drop (memory.grow $memory (i32.const 128)))
      (loop $for-ever
        (memory.fill (i32.const 65536) (i32.const 1) (i32.const 8388608))
        (br $for-ever))))
  (global.get $answer))
