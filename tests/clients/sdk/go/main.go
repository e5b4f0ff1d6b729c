// The Go module centrifuge-go, told by lines what to do: see tests/support/sdk.py for the lines.
//
//	sdk URL json|protobuf
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/centrifugal/centrifuge-go"
)

type fields = map[string]any

type command struct {
	ID          int             `json:"id"`
	Do          string          `json:"do"`
	Room        string          `json:"room"`
	Data        json.RawMessage `json:"data"`
	Recoverable bool            `json:"recoverable"`
	JoinLeave   bool            `json:"join_leave"`
	Delta       string          `json:"delta"`
	Limit       int32           `json:"limit"`
	Since       *position       `json:"since"`
	Reverse     bool            `json:"reverse"`
	Method      string          `json:"method"`
	Token       string          `json:"token"`
}

type position struct {
	Offset uint64 `json:"offset"`
	Epoch  string `json:"epoch"`
}

var output sync.Mutex

// tokens has what is asked for when the SDK wants one, by room; of the client itself by "".
var tokens sync.Map

func tokenOf(room string) (string, error) {
	say(fields{"event": "asked", "room": room})
	token, found := tokens.Load(room)
	if !found {
		return "", errors.New("there is no token")
	}
	return token.(string), nil
}

func say(line fields) {
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(text))
}

// about is what the line says of an event in a room.
func about(event, room string, more fields) fields {
	more["event"], more["room"] = event, room
	return more
}

// The data are bytes, which are JSON to these tests, or else told in base64.
func publication(pub centrifuge.Publication) fields {
	line := fields{"offset": pub.Offset, "user": nil}
	if pub.Info != nil {
		line["user"] = pub.Info.User
	}
	if json.Valid(pub.Data) {
		line["data"] = json.RawMessage(pub.Data)
	} else {
		line["base64"] = pub.Data
	}
	return line
}

func member(info centrifuge.ClientInfo) fields {
	about := fields{"client": info.Client, "user": info.User}
	if len(info.ConnInfo) > 0 {
		about["info"] = json.RawMessage(info.ConnInfo)
	}
	return about
}

func connect(url, format string) *centrifuge.Client {
	config := centrifuge.Config{
		MinReconnectDelay:  50 * time.Millisecond,
		MaxReconnectDelay:  300 * time.Millisecond,
		HandshakeTimeout:   5 * time.Second,
		MaxServerPingDelay: 2 * time.Second,
	}
	if os.Getenv("SDK_HAS_TOKEN") != "" {
		config.GetToken = func(centrifuge.ConnectionTokenEvent) (string, error) { return tokenOf("") }
	}
	create := centrifuge.NewJsonClient
	if format == "protobuf" {
		create = centrifuge.NewProtobufClient
	}
	client := create(url, config)
	client.OnConnecting(func(e centrifuge.ConnectingEvent) {
		say(fields{"event": "connecting", "code": e.Code, "reason": e.Reason})
	})
	client.OnConnected(func(e centrifuge.ConnectedEvent) {
		say(fields{"event": "connected", "client": e.ClientID})
	})
	client.OnDisconnected(func(e centrifuge.DisconnectedEvent) {
		say(fields{"event": "disconnected", "code": e.Code, "reason": e.Reason})
	})
	watchServerSubscriptions(client)
	return client
}

// watchServerSubscriptions tells of subscriptions that the server began.
func watchServerSubscriptions(client *centrifuge.Client) {
	client.OnSubscribed(func(e centrifuge.ServerSubscribedEvent) {
		at := centrifuge.StreamPosition{}
		if e.StreamPosition != nil {
			at = *e.StreamPosition
		}
		say(about("server_subscribed", e.Channel, fields{
			"was_recovering": e.WasRecovering, "recovered": e.Recovered,
			"offset": at.Offset, "epoch": at.Epoch,
		}))
	})
	client.OnUnsubscribed(func(e centrifuge.ServerUnsubscribedEvent) {
		say(about("server_unsubscribed", e.Channel, fields{}))
	})
	client.OnPublication(func(e centrifuge.ServerPublicationEvent) {
		say(about("server_publication", e.Channel, publication(e.Publication)))
	})
}

func subscribe(client *centrifuge.Client, c command) error {
	room := c.Room
	config := centrifuge.SubscriptionConfig{
		Recoverable: c.Recoverable,
		JoinLeave:   c.JoinLeave,
		Delta:       centrifuge.DeltaType(c.Delta),
	}
	if _, found := tokens.Load(room); found {
		config.GetToken = func(centrifuge.SubscriptionTokenEvent) (string, error) { return tokenOf(room) }
	}
	subscription, err := client.NewSubscription(room, config)
	if err != nil {
		return err
	}
	subscription.OnSubscribed(func(e centrifuge.SubscribedEvent) {
		at := centrifuge.StreamPosition{}
		if e.StreamPosition != nil {
			at = *e.StreamPosition
		}
		say(about("subscribed", room, fields{
			"was_recovering": e.WasRecovering, "recovered": e.Recovered,
			"offset": at.Offset, "epoch": at.Epoch,
		}))
	})
	subscription.OnUnsubscribed(func(e centrifuge.UnsubscribedEvent) {
		say(about("unsubscribed", room, fields{"code": e.Code}))
	})
	subscription.OnPublication(func(e centrifuge.PublicationEvent) {
		say(about("publication", room, publication(e.Publication)))
	})
	subscription.OnJoin(func(e centrifuge.JoinEvent) {
		say(about("join", room, member(e.ClientInfo)))
	})
	subscription.OnLeave(func(e centrifuge.LeaveEvent) {
		say(about("leave", room, member(e.ClientInfo)))
	})
	return subscription.Subscribe()
}

func unsubscribe(client *centrifuge.Client, room string) error {
	subscription, found := client.GetSubscription(room)
	if !found {
		return errors.New("not subscribed")
	}
	if err := subscription.Unsubscribe(); err != nil {
		return err
	}
	return client.RemoveSubscription(subscription)
}

func history(ctx context.Context, client *centrifuge.Client, c command) (fields, error) {
	options := []centrifuge.HistoryOption{
		centrifuge.WithHistoryLimit(c.Limit), centrifuge.WithHistoryReverse(c.Reverse),
	}
	if c.Since != nil {
		since := centrifuge.StreamPosition{Offset: c.Since.Offset, Epoch: c.Since.Epoch}
		options = append(options, centrifuge.WithHistorySince(&since))
	}
	found, err := client.History(ctx, c.Room, options...)
	publications := []fields{}
	for _, pub := range found.Publications {
		publications = append(publications, publication(pub))
	}
	return fields{"offset": found.Offset, "epoch": found.Epoch, "publications": publications}, err
}

func presence(ctx context.Context, client *centrifuge.Client, room string) (fields, error) {
	found, err := client.Presence(ctx, room)
	clients := []fields{}
	for _, info := range found.Clients {
		clients = append(clients, member(info))
	}
	return fields{"clients": clients}, err
}

func obey(client *centrifuge.Client, c command) (answer fields, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	answer = fields{}
	switch c.Do {
	case "connect":
		err = client.Connect()
	case "disconnect":
		err = client.Disconnect()
	case "token":
		tokens.Store(c.Room, c.Token)
	case "subscribe":
		err = subscribe(client, c)
	case "unsubscribe":
		err = unsubscribe(client, c.Room)
	case "publish":
		_, err = client.Publish(ctx, c.Room, c.Data)
	case "history":
		answer, err = history(ctx, client, c)
	case "presence":
		answer, err = presence(ctx, client, c.Room)
	case "stats":
		var found centrifuge.PresenceStatsResult
		found, err = client.PresenceStats(ctx, c.Room)
		answer = fields{"clients": found.NumClients, "users": found.NumUsers}
	case "rpc":
		_, err = client.RPC(ctx, c.Method, c.Data)
	default:
		err = fmt.Errorf("cannot %q", c.Do)
	}
	return answer, err
}

// One command after the other: publications keep their order.
func main() {
	client := connect(os.Args[1], os.Args[2])
	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 1<<24)
	for input.Scan() {
		var c command
		if err := json.Unmarshal(input.Bytes(), &c); err != nil {
			panic(err)
		}
		answer, err := obey(client, c)
		if err == nil {
			say(fields{"id": c.ID, "ok": answer})
			continue
		}
		failure := fields{"code": 0, "message": err.Error()}
		var told *centrifuge.Error
		if errors.As(err, &told) {
			failure["code"] = told.Code
		}
		say(fields{"id": c.ID, "error": failure})
	}
}
