package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"sync"

	agentkeysv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/agent/keymanager/v1"
	keysv1 "github.com/spiffe/spire-plugin-sdk/proto/spire/plugin/server/keymanager/v1"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// keys are kept in memory.
type keys struct {
	common
	keysv1.UnimplementedKeyManagerServer
	held sync.Map
}

func (p *keys) GenerateKey(_ context.Context, r *keysv1.GenerateKeyRequest) (*keysv1.GenerateKeyResponse, error) {
	var key crypto.Signer
	var err error
	switch r.KeyType {
	case keysv1.KeyType_EC_P256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case keysv1.KeyType_EC_P384:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case keysv1.KeyType_RSA_2048:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case keysv1.KeyType_RSA_4096:
		key, err = rsa.GenerateKey(rand.Reader, 4096)
	default:
		return nil, status.Errorf(codes.InvalidArgument, "no keys of type %v here", r.KeyType)
	}
	if err != nil {
		return nil, err
	}
	p.held.Store(r.KeyId, key)
	p.note("made %s %s", r.KeyId, r.KeyType)
	public, err := describe(r.KeyId, r.KeyType, key)
	return &keysv1.GenerateKeyResponse{PublicKey: public}, err
}

func describe(id string, kind keysv1.KeyType, key crypto.Signer) (*keysv1.PublicKey, error) {
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(der)
	return &keysv1.PublicKey{Id: id, Type: kind, PkixData: der, Fingerprint: hex.EncodeToString(sum[:])}, nil
}

func (p *keys) GetPublicKey(_ context.Context, r *keysv1.GetPublicKeyRequest) (*keysv1.GetPublicKeyResponse, error) {
	key, ok := p.held.Load(r.KeyId)
	if !ok {
		return &keysv1.GetPublicKeyResponse{}, nil
	}
	public, err := describe(r.KeyId, keysv1.KeyType_UNSPECIFIED_KEY_TYPE, key.(crypto.Signer))
	return &keysv1.GetPublicKeyResponse{PublicKey: public}, err
}

func (p *keys) GetPublicKeys(context.Context, *keysv1.GetPublicKeysRequest) (*keysv1.GetPublicKeysResponse, error) {
	answer := &keysv1.GetPublicKeysResponse{}
	p.held.Range(func(id, key any) bool {
		public, err := describe(id.(string), keysv1.KeyType_UNSPECIFIED_KEY_TYPE, key.(crypto.Signer))
		if err == nil {
			answer.PublicKeys = append(answer.PublicKeys, public)
		}
		return true
	})
	return answer, nil
}

func (p *keys) SignData(_ context.Context, r *keysv1.SignDataRequest) (*keysv1.SignDataResponse, error) {
	key, ok := p.held.Load(r.KeyId)
	if !ok {
		return nil, status.Errorf(codes.NotFound, "no such key %q", r.KeyId)
	}
	signer := key.(crypto.Signer)
	var opts crypto.SignerOpts = crypto.Hash(r.GetHashAlgorithm())
	if pss := r.GetPssOptions(); pss != nil {
		opts = &rsa.PSSOptions{SaltLength: int(pss.SaltLength), Hash: crypto.Hash(pss.HashAlgorithm)}
	}
	signature, err := signer.Sign(rand.Reader, r.Data, opts)
	if err != nil {
		return nil, err
	}
	public, err := describe(r.KeyId, keysv1.KeyType_UNSPECIFIED_KEY_TYPE, signer)
	if err != nil {
		return nil, err
	}
	return &keysv1.SignDataResponse{Signature: signature, KeyFingerprint: public.Fingerprint}, nil
}

// agentKeys are the same for an agent: the messages differ in their package alone.
type agentKeys struct {
	keys
	agentkeysv1.UnsafeKeyManagerServer
}

func recast[T proto.Message](from proto.Message, err error, to T) (T, error) {
	if err != nil {
		return to, err
	}
	bytes, err := proto.Marshal(from)
	if err != nil {
		return to, err
	}
	return to, proto.Unmarshal(bytes, to)
}

func (p *agentKeys) GenerateKey(ctx context.Context, r *agentkeysv1.GenerateKeyRequest) (*agentkeysv1.GenerateKeyResponse, error) {
	request, err := recast(r, nil, &keysv1.GenerateKeyRequest{})
	if err != nil {
		return nil, err
	}
	answer, err := p.keys.GenerateKey(ctx, request)
	return recast(answer, err, &agentkeysv1.GenerateKeyResponse{})
}

func (p *agentKeys) GetPublicKey(ctx context.Context, r *agentkeysv1.GetPublicKeyRequest) (*agentkeysv1.GetPublicKeyResponse, error) {
	request, err := recast(r, nil, &keysv1.GetPublicKeyRequest{})
	if err != nil {
		return nil, err
	}
	answer, err := p.keys.GetPublicKey(ctx, request)
	return recast(answer, err, &agentkeysv1.GetPublicKeyResponse{})
}

func (p *agentKeys) GetPublicKeys(ctx context.Context, _ *agentkeysv1.GetPublicKeysRequest) (*agentkeysv1.GetPublicKeysResponse, error) {
	answer, err := p.keys.GetPublicKeys(ctx, &keysv1.GetPublicKeysRequest{})
	return recast(answer, err, &agentkeysv1.GetPublicKeysResponse{})
}

func (p *agentKeys) SignData(ctx context.Context, r *agentkeysv1.SignDataRequest) (*agentkeysv1.SignDataResponse, error) {
	request, err := recast(r, nil, &keysv1.SignDataRequest{})
	if err != nil {
		return nil, err
	}
	answer, err := p.keys.SignData(ctx, request)
	return recast(answer, err, &agentkeysv1.SignDataResponse{})
}
