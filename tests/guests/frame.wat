;; What the workflows in this folder have in common. A guest's file holds its
;; `handle` and whatever else is its own; `component.rs` puts both into a module.
(memory $memory (export "memory") 1)

(data (i32.const 16) "hostile1.0")
;; describe: the name, the version, writes schema 1, reads [1], no extras
(data (i32.const 28) "\01\00\00\00")
(data (i32.const 32)
  "\10\00\00\00\07\00\00\00" "\17\00\00\00\03\00\00\00" "\01\00\00\00"
  "\1c\00\00\00\01\00\00\00" "\00\00\00\00\00\00\00\00")

;; 184 zeros: ok(a transition with no state, no effects and nothing to see).
;; Zeros follow up to 8192, which as a list are harmless effects or events.
(global $answer i32 (i32.const 1024))
(global $zeros i32 (i32.const 1280))
(global $heap (mut i32) (i32.const 8192))

(func (export "cabi_realloc")
  (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
  (local $at i32)
  (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
  (global.set $heap (i32.add (local.get $at) (local.get $size)))
  ;; As allocators do: without memory there is no going on.
  (block $fits
    (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size $memory) (i32.const 65536))))
    (br_if $fits (i32.ne (i32.const -1)
      (memory.grow $memory (i32.add (i32.shr_u (local.get $size) (i32.const 16)) (i32.const 1)))))
    unreachable)
  (local.get $at))

;; The context's seed, which says what a guest is to do, and how much of it.
(func $seed (param $arguments i32) (result i32)
  (i32.wrap_i64 (i64.load offset=72 (local.get $arguments))))

(func $is-hostile (param $arguments i32) (result i32)
  (i32.eq (call $seed (local.get $arguments)) (i32.const 666)))

(func (export "pairing-console:workflow/machine@0.1.0#describe") (result i32) (i32.const 32))

(func (export "pairing-console:workflow/machine@0.1.0#migrate")
  (param $schema i32) (param $state i32) (param $length i32) (result i32)
  unreachable)
