//! The way in. Each gate says what it found; what is refused is not kept, but
//! that it was refused and why stands in the history.

use pairing_core::{
    plugin::PluginDigest,
    plugin_store::{PluginAction, PluginChange, PluginFacts, PluginVersion, Verdict},
};
use pairing_plugin_runtime::{LoadedVersion, Origin, digest_of};

use crate::{
    errors::RegistryError,
    loading::Compiled,
    registry::{Registry, count},
    reports::{Push, Pushed},
};

/// What a gate lets through, and what it says about it.
type Gate<T> = Result<(T, String), RegistryError>;

/// The fuel that each test vector used.
type Fuel = Vec<(String, u64)>;

/// A component on its way, with what is known so far.
struct Arriving {
    push: Push,
    digest: PluginDigest,
    source: &'static str,
    verdicts: Vec<Verdict>,
    signed_by: Option<String>,
    accepted_by: Option<String>,
}

impl Registry {
    /// Lets a component in, if all gates let it pass. Nothing is activated.
    ///
    /// # Errors
    /// The first gate that refuses.
    pub async fn push(&self, push: Push) -> Result<Pushed, RegistryError> {
        self.push_from("upload", push).await
    }

    /// The same for what comes another way: `embedded` is trusted like the host's
    /// own binary, which it is a part of.
    pub(crate) async fn push_from(
        &self,
        source: &'static str,
        push: Push,
    ) -> Result<Pushed, RegistryError> {
        let digest = digest_of(&push.component);
        let known = self.0.parts.store.versions(push.slot).await?;
        let before = known.into_iter().find(|version| version.digest == digest);
        let mut change = self.change(push.slot, PluginAction::Push, &push.who, "");
        change.to = Some(digest.clone());
        let mut arriving = Arriving {
            push,
            digest,
            source,
            verdicts: Vec::new(),
            signed_by: None,
            accepted_by: None,
        };
        let passed = self.pass_gates(&mut arriving).await;
        for verdict in &arriving.verdicts {
            self.0.parts.store.add_verdict(verdict).await?;
        }
        let (compiled, fuel) = match passed {
            Ok(passed) => passed,
            Err(error) => return Err(self.refused(change, error).await),
        };
        let mut version = self.version_of(&arriving, &compiled.version, fuel);
        let is_new = before.is_none();
        if let Some(before) = before {
            (version.created_at, version.created_by) = (before.created_at, before.created_by);
        }
        self.0.parts.store.add_version(&version, &arriving.push.component).await?;
        self.keep(version.slot, &version.digest, &compiled.sealed).await;
        if arriving.accepted_by.is_some() {
            let accepted = PluginChange { action: PluginAction::AcceptUnsigned, ..change.clone() };
            self.0.parts.store.note(&accepted).await?;
            tracing::warn!(plugin = change.slot.as_str(), digest = %arriving.digest, who = change.who, "a plugin without a signature was accepted");
        }
        self.0.parts.store.note(&change).await?;
        count(change.slot, PluginAction::Push, "done");
        Ok(Pushed { version, verdicts: arriving.verdicts, is_new })
    }

    async fn pass_gates(&self, arriving: &mut Arriving) -> Result<(Compiled, Fuel), RegistryError> {
        let size = self.size_gate(&arriving.push);
        self.note_gate(arriving, "size", size)?;
        let signature = self.signature_gate(arriving);
        self.note_gate(arriving, "signature", signature)?;
        let origin = Origin {
            digest: arriving.digest.clone(),
            source: arriving.source.into(),
            is_proven: false,
        };
        let loaded = self.compiled_once(&arriving.push, origin).await;
        if loaded.is_ok() {
            let said = "in a process of its own, within its time and memory".into();
            self.note_gate(arriving, "compile", Ok(((), said)))?;
        }
        let fits = |compiled: Compiled| {
            let said = fitting(&compiled.version);
            (compiled, said)
        };
        let compiled = self.note_gate(arriving, "world", loaded.map(fits))?;
        let probed = self.probe_gate(&compiled.version).await;
        let fuel = self.note_gate(arriving, "probe", probed)?;
        Ok((compiled, fuel))
    }

    /// What comes again, or comes with every new database, is not compiled again.
    async fn compiled_once(&self, push: &Push, origin: Origin) -> Result<Compiled, RegistryError> {
        match self.known(push.slot, origin.clone()).await? {
            Some(compiled) => Ok(compiled),
            None => self.compiled(push.slot, &push.component, origin).await,
        }
    }

    fn size_gate(&self, push: &Push) -> Gate<()> {
        let limit = match push.slot.handler() {
            Some(_) => self.0.config.max_handler_size,
            None => self.0.config.max_size,
        };
        let size = push.component.len();
        if size <= limit {
            return Ok(((), format!("{size} bytes")));
        }
        let message = format!(
            "it has {} MiB, and at most {} MiB are taken; build it with optimisation for size, \
             and without debug information",
            size.div_ceil(1 << 20),
            limit >> 20
        );
        Err(RegistryError::Refused { gate: "size", message })
    }

    fn signature_gate(&self, arriving: &mut Arriving) -> Gate<()> {
        let refused = |message| Err(RegistryError::Refused { gate: "signature", message });
        let keys = &self.0.config.keys;
        let names = || keys.names().collect::<Vec<_>>().join("`, `");
        let Push { component, signature, accept_unsigned, who, .. } = &arriving.push;
        let signer = signature.as_ref().and_then(|made| keys.signer_of(component, made));
        if let Some(name) = signer {
            arriving.signed_by = Some(name.to_owned());
            return Ok(((), format!("signed by `{name}`")));
        }
        if arriving.source == "embedded" {
            return Ok(((), "a part of the host itself".into()));
        }
        // Who names the one component that is meant may have one of a stranger's key.
        match accept_unsigned {
            Some(accepted) if *accepted == *arriving.digest.0 => {
                arriving.accepted_by = Some(who.clone());
                return Ok(((), format!("signed by no listed key, and accepted by `{who}`")));
            }
            Some(accepted) => {
                return refused(format!(
                    "the digest that was accepted is {accepted}, but the component's is {}; look at \
                     what you are sending",
                    arriving.digest
                ));
            }
            None => {}
        }
        let has_keys = keys.names().next().is_some();
        match signature {
            Some(_) if has_keys => refused(format!(
                "the signature was made by none of the keys `{}`, or the component was changed \
                 after it was signed; sign these very bytes: `openssl pkeyutl -sign -rawin \
                 -inkey key.pem -in component.wasm -out component.wasm.sig`",
                names()
            )),
            _ if !self.0.config.refuse_unsigned => {
                Ok(((), "not signed, which development mode allows".into()))
            }
            _ if !has_keys => refused(format!(
                "PAIRING_MODE is production, and no key is trusted: list public keys in \
                 PAIRING_PLUGINS_KEYS and sign with one of them, or accept this component, and only \
                 this one, with `--accept-unsigned {}`",
                arriving.digest
            )),
            _ => refused(format!(
                "PAIRING_MODE is production, and it has no signature; sign it with one of the keys \
                 `{}` (`openssl pkeyutl -sign -rawin -inkey key.pem -in component.wasm -out \
                 component.wasm.sig`), or accept it with `--accept-unsigned {}`",
                names(),
                arriving.digest
            )),
        }
    }

    async fn probe_gate(&self, loaded: &LoadedVersion) -> Gate<Fuel> {
        match loaded.probe(&self.0.parts.runtime).await {
            Ok(fuel) => {
                let said = format!("it stood {} test vectors", fuel.len());
                Ok((fuel, said))
            }
            Err(failure) => {
                Err(RegistryError::Refused { gate: "probe", message: failure.to_string() })
            }
        }
    }

    fn note_gate<T>(
        &self,
        arriving: &mut Arriving,
        gate: &'static str,
        result: Gate<T>,
    ) -> Result<T, RegistryError> {
        let (gate, message) = match &result {
            Ok((_, message)) => (gate, message.clone()),
            Err(RegistryError::Refused { gate, message }) => (*gate, message.clone()),
            Err(error) => (gate, error.to_string()),
        };
        arriving.verdicts.push(Verdict {
            slot: arriving.push.slot,
            digest: Some(arriving.digest.clone()),
            at: self.0.parts.clock.now(),
            gate: gate.into(),
            passed: result.is_ok(),
            message,
            report: None,
        });
        result.map(|(value, _)| value)
    }

    fn version_of(&self, arriving: &Arriving, loaded: &LoadedVersion, fuel: Fuel) -> PluginVersion {
        let info = loaded.info();
        let schemas = loaded.schemas();
        PluginVersion {
            slot: info.slot,
            digest: info.digest.clone(),
            name: info.name.clone(),
            version: info.version.clone(),
            size: arriving.push.component.len() as u64,
            source: arriving.source.into(),
            signed_by: arriving.signed_by.clone(),
            accepted_by: arriving.accepted_by.clone(),
            facts: PluginFacts {
                interface: loaded.interface().into(),
                imports: loaded.imports().to_vec(),
                initial_memory: loaded.initial_memory(),
                writes_schema: schemas.map(|(writes, _)| writes),
                reads_schemas: schemas.map(|(_, reads)| reads.clone()).unwrap_or_default(),
                fuel,
            },
            created_at: self.0.parts.clock.now(),
            created_by: arriving.push.who.clone(),
        }
    }
}

fn fitting(version: &LoadedVersion) -> String {
    let imports = version.imports().iter().map(|import| format!("`{import}`"));
    let imports = imports.collect::<Vec<_>>().join(", ");
    let imports = if imports.is_empty() { "nothing" } else { &imports };
    format!("it exports `{}` and imports {imports}", version.interface())
}
