;; Grows seven further memories by 2 MiB each, and the first one by as many pages
;; of 64 KiB as the seed says. With the page that it begins with, 31 make 16 MiB.
(memory $m1 0) (memory $m2 0) (memory $m3 0) (memory $m4 0)
(memory $m5 0) (memory $m6 0) (memory $m7 0)

(func $got (param $before i32)
  (if (i32.eq (local.get $before) (i32.const -1)) (then unreachable)))

(func (export "pairing-console:workflow/machine@0.1.0#handle") (param $arguments i32) (result i32)
  (if (call $seed (local.get $arguments))
    (then
      (call $got (memory.grow $m1 (i32.const 32)))
      (call $got (memory.grow $m2 (i32.const 32)))
      (call $got (memory.grow $m3 (i32.const 32)))
      (call $got (memory.grow $m4 (i32.const 32)))
      (call $got (memory.grow $m5 (i32.const 32)))
      (call $got (memory.grow $m6 (i32.const 32)))
      (call $got (memory.grow $m7 (i32.const 32)))
      (call $got (memory.grow $memory (call $seed (local.get $arguments))))))
  (global.get $answer))
