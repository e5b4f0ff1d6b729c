// Rooms over the centrifuge library, the engine of Centrifugo: JSON protocol, anonymous clients that
// may subscribe and publish to any channel; no presence, recovery, join and leave messages. Memory
// engine, or with -redis its Redis engine; no history unless -history asks for it, so that it is at
// its fastest.
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/centrifugal/centrifuge"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8001", "address and port")
	redis := flag.String("redis", "", "redis://HOST:PORT: messages go through there, to other nodes too")
	history := flag.Int("history", 0, "messages of a channel that are kept, for 5 minutes")
	flag.Parse()

	node, err := centrifuge.New(centrifuge.Config{
		LogLevel: centrifuge.LogLevelError,
		LogHandler: func(entry centrifuge.LogEntry) {
			log.Println(entry.Message, entry.Fields)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	if *redis != "" {
		shard, err := centrifuge.NewRedisShard(node, centrifuge.RedisShardConfig{Address: *redis})
		if err != nil {
			log.Fatal(err)
		}
		broker, err := centrifuge.NewRedisBroker(node, centrifuge.RedisBrokerConfig{
			Shards: []*centrifuge.RedisShard{shard},
		})
		if err != nil {
			log.Fatal(err)
		}
		node.SetBroker(broker)
	}
	published := centrifuge.PublishReply{}
	if *history > 0 {
		published.Options = centrifuge.PublishOptions{HistorySize: *history, HistoryTTL: 5 * time.Minute}
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{}}, nil
	})
	node.OnConnect(func(client *centrifuge.Client) {
		client.OnSubscribe(func(_ centrifuge.SubscribeEvent, reply centrifuge.SubscribeCallback) {
			reply(centrifuge.SubscribeReply{}, nil)
		})
		client.OnPublish(func(_ centrifuge.PublishEvent, reply centrifuge.PublishCallback) {
			reply(published, nil)
		})
	})
	if err := node.Run(); err != nil {
		log.Fatal(err)
	}
	http.Handle("/connection/websocket", centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		CheckOrigin: func(*http.Request) bool { return true },
	}))
	log.Fatal(http.ListenAndServe(*listen, nil))
}
