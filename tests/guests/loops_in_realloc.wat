;; Loops for ever in its allocator when it is asked for 666 bytes. Without the
;; frame, whose allocator is a better one.
(module
  (memory $memory (export "memory") 1)

  (data (i32.const 16) "hostile1.0")
  ;; describe: the name, the version, writes schema 1, reads [1], no extras
  (data (i32.const 28) "\01\00\00\00")
  (data (i32.const 32)
    "\10\00\00\00\07\00\00\00" "\17\00\00\00\03\00\00\00" "\01\00\00\00"
    "\1c\00\00\00\01\00\00\00" "\00\00\00\00\00\00\00\00")

  ;; 184 zeros: ok(a transition with no state, no effects and nothing to see).
  (global $answer i32 (i32.const 1024))
  (global $heap (mut i32) (i32.const 8192))

  (func (export "cabi_realloc")
    (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (local $at i32)
    (if (i32.eq (local.get $size) (i32.const 666)) (then (loop $for-ever (br $for-ever))))
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (local.get $at))

  (func (export "pairing-console:workflow/machine@0.1.0#describe") (result i32) (i32.const 32))

  (func (export "pairing-console:workflow/machine@0.1.0#migrate")
    (param $schema i32) (param $state i32) (param $length i32) (result i32)
    unreachable)

  (func (export "pairing-console:workflow/machine@0.1.0#handle") (param $arguments i32) (result i32)
    (global.get $answer)))
