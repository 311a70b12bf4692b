//! INVITE, ACK, CANCEL and BYE: media on and off.

use super::{
    Answer, CallEvent, CallId, CommandError, EndReason, Event, Invite, Now, Peer, Platform, Wanted,
    catalog::check_target,
    dialog::{Call, Stage, offer},
    timers::Key,
    transactions::{KEEP, Purpose},
};
use crate::{
    gbid::GbId,
    mansrtsp::{self, Steer},
    sdp::Sdp,
    sip::Message,
};

impl Platform {
    /// Invites a device to send media. What becomes of it comes as events; the SSRC given here is the one
    /// that the device is told to use.
    ///
    /// # Errors
    /// When the device is not online, too many calls are on, or a value is out of range.
    pub fn invite(&mut self, now: Now, invite: &Invite) -> Result<(CallId, u32), CommandError> {
        check_target(&invite.channel)?;
        let history = match invite.wanted {
            Wanted::Live => false,
            Wanted::Playback { start, end } | Wanted::Download { start, end, .. } if start < end => true,
            Wanted::Playback { .. } | Wanted::Download { .. } => {
                return Err(CommandError::Invalid("the recording asked for ends before it begins"));
            }
        };
        let peer = self.peer(invite.device)?;
        let ssrc = self.ssrcs.take(history).ok_or(CommandError::TooManyCalls)?;
        let manufacturer = self.devices.get(&invite.device).and_then(|device| device.manufacturer.clone());
        let sdp = offer(invite, self.config.id, ssrc, manufacturer.as_deref());
        let subject = format!("{}:{ssrc:010},{}:0", invite.channel, self.config.id);
        let message = self.outside_dialog("INVITE", invite.device, &invite.channel).with("Subject", subject);
        let message = message.with_body("Application/SDP", sdp.encode());
        let header = |name: &str| message.headers.get(name).unwrap_or_default().to_owned();
        let (call_id, local, remote) = (header("Call-ID"), header("From"), header("To"));
        let uri = match &message.start {
            crate::sip::Start::Request { uri, .. } => uri.clone(),
            crate::sip::Start::Response { .. } => String::new(),
        };
        let id = CallId(self.next_call());
        let patience = self.config.invite_patience;
        let branch = self.request(now, (invite.device, peer), &message, Purpose::Invite(id), patience);
        let call = Call {
            device: invite.device,
            channel: invite.channel.clone(),
            history,
            ssrc,
            stage: Stage::Inviting,
            sip_id: call_id.clone(),
            local,
            remote,
            uri,
            route: Vec::new(),
            cseq: 1,
            rtsp_cseq: 0,
            invite: message,
            branch,
            ack: None,
            deadline: None,
        };
        self.calls.insert(id, call);
        self.call_ids.insert(call_id, id);
        Ok((id, ssrc))
    }

    /// Ends a call. The event that it is over comes at once.
    pub fn hang_up(&mut self, now: Now, id: CallId) {
        let Some(call) = self.calls.get(&id) else { return };
        match call.stage {
            Stage::Inviting => {
                let branch = call.branch.clone();
                self.give_up_invite(now, id, &branch, EndReason::Local);
            }
            Stage::Answered => {
                self.event(Event::Call { call: id, event: CallEvent::Ended(EndReason::Local) });
                self.say_bye(now, id);
            }
            Stage::Leaving => {}
        }
    }

    /// Steers a recording that plays.
    ///
    /// # Errors
    /// When there is no such call, it has not been answered, or it is live.
    pub fn steer(&mut self, now: Now, id: CallId, steer: Steer) -> Result<(), CommandError> {
        let contact = self.contact();
        let call = self.calls.get_mut(&id).filter(|call| call.stage != Stage::Leaving).ok_or(CommandError::NoCall)?;
        if call.stage != Stage::Answered {
            return Err(CommandError::NotAnswered);
        }
        if !call.history {
            return Err(CommandError::Invalid("a live picture cannot be steered"));
        }
        if let Steer::Speed(speed) = steer
            && !(0.0625..=32.0).contains(&speed.abs())
        {
            return Err(CommandError::Invalid("the speed is 1/16 to 32"));
        }
        call.rtsp_cseq += 1;
        let body = steer.encode(call.rtsp_cseq);
        let message = call.request("INFO", &contact).with_body(mansrtsp::CONTENT_TYPE, body);
        let device = call.device;
        let peer = self.peer(device)?;
        let patience = self.config.patience;
        self.request(now, (device, peer), &message, Purpose::Steer(id), patience);
        Ok(())
    }

    fn next_call(&mut self) -> u64 {
        let token = self.token();
        u64::from_str_radix(&token, 16).unwrap_or_default()
    }

    /// A final answer to an INVITE.
    pub(super) fn invite_answered(&mut self, now: Now, id: CallId, branch: &str, response: &Message, status: u16) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let device = call.device;
        let peer = self.peer(device).ok();
        let Some(call) = self.calls.get_mut(&id) else { return };
        if status >= 300 {
            // the ACK to a refusal belongs to the INVITE's own transaction
            if let Some(peer) = peer {
                let mut ack = call.invite.clone();
                ack.start = crate::sip::Start::Request { method: "ACK".to_owned(), uri: call.uri.clone() };
                ack.headers.set("CSeq", "1 ACK");
                ack.headers.set("To", response.headers.get("To").unwrap_or_default());
                ack.body.clear();
                let data = self.with_via(&ack, peer, branch).encode();
                self.send(peer, data);
            }
            let reason = match &response.start {
                crate::sip::Start::Response { reason, .. } => reason.chars().take(200).collect(),
                crate::sip::Start::Request { .. } => String::new(),
            };
            self.end_call(id, EndReason::Refused { status, reason });
            return;
        }
        let leaving = call.stage == Stage::Leaving;
        call.answered(response);
        self.acknowledge(id);
        if leaving {
            // it answered after we had given up
            self.say_bye(now, id);
            return;
        }
        match Sdp::parse(&response.body) {
            Ok(sdp) => {
                let video = sdp.medium("video").or(sdp.media.first());
                let file_size = video.and_then(|m| m.attribute("filesize")?.parse().ok());
                let port = video.map_or(0, |m| m.port);
                let answer = Answer { ssrc: sdp.ssrc(), address: sdp.address, port, file_size };
                if let Some(call) = self.calls.get_mut(&id) {
                    call.stage = Stage::Answered;
                }
                self.event(Event::Call { call: id, event: CallEvent::Answered(answer) });
            }
            Err(error) => {
                let reason = EndReason::BadAnswer(error.to_string());
                self.event(Event::Call { call: id, event: CallEvent::Ended(reason) });
                self.say_bye(now, id);
            }
        }
    }

    /// Sends the ACK to a 200: to the address the device registered from, whatever its `Contact` says.
    fn acknowledge(&mut self, id: CallId) {
        let contact = self.contact();
        let Some(call) = self.calls.get_mut(&id) else { return };
        let device = call.device;
        let message = call.request("ACK", &contact);
        let Ok(peer) = self.peer(device) else { return };
        let branch = format!("z9hG4bK{}", self.token());
        let data = self.with_via(&message, peer, &branch).encode();
        if let Some(call) = self.calls.get_mut(&id) {
            call.ack = Some(data.clone());
        }
        self.send(peer, data);
    }

    /// A 200 to an INVITE whose transaction is over: our ACK was lost, or we had given up.
    pub(super) fn repeated_answer(&mut self, now: Now, response: &Message) {
        let id = response.call_id().and_then(|call_id| self.call_ids.get(call_id)).copied();
        let Some((id, call)) = id.and_then(|id| Some((id, self.calls.get_mut(&id)?))) else { return };
        match (&call.ack, call.stage) {
            (Some(ack), _) => {
                let (device, ack) = (call.device, ack.clone());
                if let Ok(peer) = self.peer(device) {
                    self.send(peer, ack);
                }
            }
            (None, Stage::Leaving) => {
                call.answered(response);
                self.acknowledge(id);
                self.say_bye(now, id);
            }
            (None, _) => {}
        }
    }

    /// Gives up an invitation: tells the device to stop, and stays a while to end what it may still begin.
    pub(super) fn give_up_invite(&mut self, now: Now, id: CallId, branch: &str, reason: EndReason) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.stage != Stage::Leaving) else { return };
        call.stage = Stage::Leaving;
        call.deadline = Some(now.elapsed + KEEP);
        let device = call.device;
        let mut cancel = call.invite.clone();
        cancel.start = crate::sip::Start::Request { method: "CANCEL".to_owned(), uri: call.uri.clone() };
        cancel.headers.set("CSeq", "1 CANCEL");
        cancel.body.clear();
        self.timers.set(now.elapsed + KEEP, Key::Call(id));
        // RFC 3261 forbids CANCEL before any answer; devices that are slow to answer take it nevertheless
        if let Ok(peer) = self.peer(device) {
            let data = self.with_via(&cancel, peer, branch).encode();
            self.send(peer, data);
        }
        self.event(Event::Call { call: id, event: CallEvent::Ended(reason) });
    }

    fn say_bye(&mut self, now: Now, id: CallId) {
        let contact = self.contact();
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.stage = Stage::Leaving;
        let device = call.device;
        let message = call.request("BYE", &contact);
        match self.peer(device) {
            Ok(peer) => {
                let patience = self.config.patience;
                self.request(now, (device, peer), &message, Purpose::Bye(id), patience);
            }
            Err(_) => self.forget_call(id),
        }
    }

    pub(super) fn bye_received(&mut self, now: Now, from: Peer, request: &Message) {
        let id = request.call_id().and_then(|call_id| self.call_ids.get(call_id)).copied();
        let ours = id.filter(|id| {
            self.calls.get(id).and_then(|call| self.devices.get(&call.device)).is_some_and(|device| device.peer == from)
        });
        match ours {
            Some(id) => {
                self.respond(now, from, request, 200, "OK");
                self.end_call(id, EndReason::Remote);
            }
            None => self.respond(now, from, request, 481, "Call/Transaction Does Not Exist"),
        }
    }

    /// INFO inside a call: some devices tell the end of a file by it.
    pub(super) fn info_received(&mut self, now: Now, from: Peer, request: &Message) {
        let known = request.call_id().is_some_and(|call_id| self.call_ids.contains_key(call_id));
        if known {
            self.message(now, from, request);
        } else {
            self.respond(now, from, request, 481, "Call/Transaction Does Not Exist");
        }
    }

    /// A recording has been played to its end: found by its `Call-ID`, else by the channel.
    pub(super) fn file_ended(&mut self, now: Now, device: GbId, call_id: Option<&str>, channel: &str) {
        let by_id = call_id.and_then(|call_id| self.call_ids.get(call_id)).copied();
        let plays = |call: &Call| call.history && call.stage == Stage::Answered && call.device == device;
        let by_channel = || {
            let found = self.calls.iter().find(|(_, call)| plays(call) && call.channel == channel);
            found.map(|(id, _)| *id)
        };
        let Some(id) = by_id.or_else(by_channel) else { return };
        if self.calls.get(&id).is_some_and(plays) {
            self.event(Event::Call { call: id, event: CallEvent::FileEnd });
            self.event(Event::Call { call: id, event: CallEvent::Ended(EndReason::Remote) });
            self.say_bye(now, id);
        }
    }

    pub(super) fn call_due(&mut self, now: Now, id: CallId) {
        let over = self.calls.get(&id).and_then(|call| call.deadline).is_some_and(|deadline| deadline <= now.elapsed);
        // a BYE on its way forgets the call itself
        let bye = self.clients_of(id);
        if over && !bye {
            self.forget_call(id);
        }
    }

    fn clients_of(&self, id: CallId) -> bool {
        self.clients.values().any(|client| client.is_bye(id))
    }

    /// Ends a call without a word to the device, and says so unless it was over already.
    pub(super) fn end_call(&mut self, id: CallId, reason: EndReason) {
        if self.calls.get(&id).is_some_and(|call| call.stage != Stage::Leaving) {
            self.event(Event::Call { call: id, event: CallEvent::Ended(reason) });
        }
        self.forget_call(id);
    }

    pub(super) fn forget_call(&mut self, id: CallId) {
        if let Some(call) = self.calls.remove(&id) {
            self.call_ids.remove(&call.sip_id);
            self.ssrcs.give_back(call.ssrc);
        }
    }
}
