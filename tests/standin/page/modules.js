// The table of modules that drivers of the real page look up, in the order in
// which they appear. Names and shapes follow the real page; see main.js for
// what they stand on.

import { decodeB64, encodeB64 } from './bytes.js';
import { PairingType } from './linking.js';
import { Collection, Emitter } from './models.js';
import { wid } from './wid.js';

const VERSION = '2.3000.1031480731';

export function moduleGroups({ page, linking, connection }) {
  return [coreModules(page), linkingModules(page, linking, connection), accountModules(page), clientModules()];
}

export function exposeDebug() {
  window.Debug = { VERSION };
}

function coreModules({ Socket, Stream, Cmd, Conn, OfflineMessageHandler }) {
  return {
    WAWebSocketModel: { Socket },
    WAWebStreamModel: { Stream },
    WAWebCmd: { Cmd },
    WAWebConnModel: { Conn },
    WAWebOfflineHandler: { OfflineMessageHandler },
    WAWebUpdaterVersion: { SANITIZED_VERSION_STR: VERSION },
    WABase64: { encodeB64, decodeB64 },
  };
}

function linkingModules(page, linking, connection) {
  const keyPair = (name) => ({ pubKey: decodeB64(page.keys[name]).buffer });
  return {
    WAWebPairingType: { PairingType },
    WAWebAltDeviceLinkingApi: {
      setPairingType: (type) => linking.setPairingType(type),
      getPairingType: () => linking.pairingType,
      initializeAltDeviceLinking: () => linking.initializeAltDeviceLinking(),
      initializeQRLinking: () => linking.initializeQrLinking(),
      startAltLinkingFlow: (phone, notify) => linking.startAltLinkingFlow(phone, notify),
    },
    WAWebLinkDeviceAction: {
      genLinkDeviceCodeForPhoneNumber: (phone, notify) => linking.startAltLinkingFlow(phone, notify),
    },
    WAWebLinkDeviceEvents: { WAWebLinkDeviceEvents: page.LinkDeviceEvents },
    WAWebLaunchSocketUtils: { refreshQR: connection.refreshQr },
    WAWebCompanionRegClientUtils: { DEVICE_PLATFORM: 1 },
    WAWebAdvSignatureApi: {},
    WAWebUserPrefsInfoStore: { waNoiseInfo: { get: async () => ({ staticKeyPair: keyPair('noise') }) } },
    WAWebSignalStoreApi: { waSignalStore: { getRegistrationInfo: async () => ({ registrationId: 1, identityKeyPair: keyPair('identity') }) } },
    WAWebUserPrefsMultiDevice: { getADVSecretKey: linking.getAdvSecret },
    WAWebMiscBrowserUtils: { info: () => ({ os: 'Linux', name: 'Chrome', version: '0' }) },
  };
}

function accountModules({ linkedAccount }) {
  const me = (field, server) => linkedAccount() && wid(linkedAccount()[field], server);
  return {
    WAWebUserPrefsMeUser: {
      getMaybeMePnUser: () => me('phoneNumber', 'c.us'),
      getMaybeMeLidUser: () => me('lid', 'lid'),
    },
    WAWebCollections: { Msg: new Collection(), Chat: new Collection() },
    WAWebSyncGatingUtils: { isPlaceholderMessageResendEnabled: () => false },
    WAWebCallCollection: Object.assign(new Emitter(), { calls: new Map() }),
  };
}

/** Looked up by drivers that do more than link; here they do nothing. */
function clientModules() {
  return {
    WAWebBackendJobsCommon: { mediaTypeFromProtobuf: () => null },
    WAWebE2EProtoUtils: { typeAttributeFromProtobuf: () => 'text' },
    WAWebAddonReactionTableMode: { reactionTableMode: { bulkUpsert: async () => {} } },
    WAWebAddonPollVoteTableMode: { pollVoteTableMode: { bulkUpsert: async () => {} } },
    WAWebLogoutReasonConstants: { LogoutReason: { UserInitiated: 'user_initiated', UnknownCompanion: 'unknown_companion' } },
  };
}
