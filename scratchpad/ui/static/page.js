(()=>{var __defProp=Object.defineProperty;var __export=(target2,all)=>{for(var name2 in all)__defProp(target2,name2,{get:all[name2],enumerable:!0})};var actions_exports={};__export(actions_exports,{chooseLatent:()=>chooseLatent,choosePatch:()=>choosePatch,chooseToken:()=>chooseToken,clear:()=>clear,load:()=>load,test:()=>test2,testOnly:()=>testOnly,toggle:()=>toggle});var ARRAYS={f4:Float32Array,i4:Int32Array,u1:Uint8Array},bytes=text=>Uint8Array.from(atob(text),c5=>c5.charCodeAt(0));function unpack(packed){let raw=bytes(packed.data);return new ARRAYS[packed.dtype](raw.buffer)}function decode(value){return{analysis:analysis(value.analysis),page:value.page,kase:value.case}}function analysis(a2){let tokens2=a2.run.tokens.filter(token2=>token2.role!=="image"),tiles=a2.run.grid.tiles,latents=new Map(a2.latents.map(row3=>[row3.id,row3]));return{model:a2.model,sae:a2.sae,prompt:a2.question.prompt,settings:a2.question.settings,answer:a2.run.answer,tokens:tokens2,byIndex:new Map(tokens2.map(token2=>[token2.index,token2])),outputs:tokens2.filter(token2=>token2.role==="output"),sizes:a2.run.grid.sizes,tiles,patches:tiles.reduce((n4,tile)=>n4+tile.rows*tile.cols,0),perPatch:a2.codes.values.shape[1],codeValues:unpack(a2.codes.values),codeIndices:unpack(a2.codes.indices),attention:unpack(a2.weights.values),attentionRow:rows(a2.weights.tokens),active:a2.scores.latents,column:rows(a2.scores.latents),scores:unpack(a2.scores.weighted),scoreRow:rows(a2.scores.tokens),means:unpack(a2.scores.mean),latents,ranked:a2.latents,heatmap:{tokens:a2.heatmap.tokens,latents:a2.heatmap.latents,raw:unpack(a2.heatmap.raw),values:unpack(a2.heatmap.values),clusters:a2.heatmap.clusters},effects:new Map(a2.effects),fidelity:a2.fidelity,attentionTrust:a2.attention_trust,conceptTrust:a2.concept_trust,blank:a2.blank,spoken:a2.spoken?spoken(a2.spoken):null}}var spoken=({tokens:tokens2,codes})=>({tokens:tokens2,perToken:codes.values.shape[1],values:unpack(codes.values),indices:unpack(codes.indices)}),rows=keys2=>new Map(keys2.map((key2,row3)=>[key2,row3]));function heads(h4){let[layers2,count3,patches]=h4.maps.shape;return{token:h4.token,layers:layers2,heads:count3,patches,shares:unpack(h4.shares),peaks:unpack(h4.peaks),maps:unpack(h4.maps)}}function reference(r4){let[rowsOf2,cols]=r4.mask.shape;return{src:`data:image/webp;base64,${r4.thumbnail}`,interval:r4.interval,activation:r4.activation,labels:r4.labels,rows:rowsOf2,cols,values:Float32Array.from(unpack(r4.mask),v3=>v3/255)}}function editOf(edit2){let items=edit2.items,op=item=>item.op==="set"&&item.value===0?"scale":item.op,each=f4=>Object.fromEntries(items.map(item=>[item.latent,f4(item)])),alike=items.every(item=>op(item)==="scale"&&item.value===items[0].value);return{picked:[...new Set(items.map(item=>item.latent))],strength:alike&&items.length?items[0].value:0,own:alike?{}:each(item=>item.value),ops:alike?{}:each(op),region:items.length?items[0].region:null,image:items.length?items[0].image:null,keepError:edit2.keep_error}}function toEdit(s5){let value={scale:s5.strength,set:0,add:0};return{items:s5.picked.map(latent=>{let op=s5.ops[latent]||"scale";return{latent,op,value:s5.own[latent]??value[op],region:s5.region,image:s5.image}}),keep_error:s5.keepError}}var sum=values=>values.reduce((total,value)=>total+value,0);function test(t4){let effect=sum(t4.comparison.delta_logprob),{before:before2,after}=t4.comparison,same2=before2.text===after.text&&before2.tokens.map(x2=>x2.id).join()===after.tokens.map(x2=>x2.id).join();return{...t4,effect,changed:!same2}}function trustOf(trust2){return!trust2||trust2.sets?trust2||null:{sets:[{low:trust2.accuracy,high:trust2.accuracy,images:0,...trust2}],nearest:trust2.dataset}}/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var t=globalThis,i=t.trustedTypes,s=i?i.createPolicy("lit-html",{createHTML:t4=>t4}):void 0,e="$lit$",h=`lit$${Math.random().toFixed(9).slice(2)}$`,o="?"+h,n=`<${o}>`,r=document,l=()=>r.createComment(""),c=t4=>t4===null||typeof t4!="object"&&typeof t4!="function",a=Array.isArray,u=t4=>a(t4)||typeof t4?.[Symbol.iterator]=="function",d=`[ 	
\f\r]`,f=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,v=/-->/g,_=/>/g,m=RegExp(`>|${d}(?:([^\\s"'>=/]+)(${d}*=${d}*(?:[^ 	
\f\r"'\`<>=]|("|')|))|$)`,"g"),p=/'/g,g=/"/g,$=/^(?:script|style|textarea|title)$/i,y=t4=>(i5,...s5)=>({_$litType$:t4,strings:i5,values:s5}),x=y(1),b=y(2),w=y(3),T=Symbol.for("lit-noChange"),E=Symbol.for("lit-nothing"),A=new WeakMap,C=r.createTreeWalker(r,129);function P(t4,i5){if(!a(t4)||!t4.hasOwnProperty("raw"))throw Error("invalid template strings array");return s!==void 0?s.createHTML(i5):i5}var V=(t4,i5)=>{let s5=t4.length-1,o4=[],r4,l2=i5===2?"<svg>":i5===3?"<math>":"",c5=f;for(let i6=0;i6<s5;i6++){let s6=t4[i6],a2,u4,d2=-1,y2=0;for(;y2<s6.length&&(c5.lastIndex=y2,u4=c5.exec(s6),u4!==null);)y2=c5.lastIndex,c5===f?u4[1]==="!--"?c5=v:u4[1]!==void 0?c5=_:u4[2]!==void 0?($.test(u4[2])&&(r4=RegExp("</"+u4[2],"g")),c5=m):u4[3]!==void 0&&(c5=m):c5===m?u4[0]===">"?(c5=r4??f,d2=-1):u4[1]===void 0?d2=-2:(d2=c5.lastIndex-u4[2].length,a2=u4[1],c5=u4[3]===void 0?m:u4[3]==='"'?g:p):c5===g||c5===p?c5=m:c5===v||c5===_?c5=f:(c5=m,r4=void 0);let x2=c5===m&&t4[i6+1].startsWith("/>")?" ":"";l2+=c5===f?s6+n:d2>=0?(o4.push(a2),s6.slice(0,d2)+e+s6.slice(d2)+h+x2):s6+h+(d2===-2?i6:x2)}return[P(t4,l2+(t4[s5]||"<?>")+(i5===2?"</svg>":i5===3?"</math>":"")),o4]},N=class _N{constructor({strings:t4,_$litType$:s5},n4){let r4;this.parts=[];let c5=0,a2=0,u4=t4.length-1,d2=this.parts,[f4,v3]=V(t4,s5);if(this.el=_N.createElement(f4,n4),C.currentNode=this.el.content,s5===2||s5===3){let t5=this.el.content.firstChild;t5.replaceWith(...t5.childNodes)}for(;(r4=C.nextNode())!==null&&d2.length<u4;){if(r4.nodeType===1){if(r4.hasAttributes())for(let t5 of r4.getAttributeNames())if(t5.endsWith(e)){let i5=v3[a2++],s6=r4.getAttribute(t5).split(h),e4=/([.?@])?(.*)/.exec(i5);d2.push({type:1,index:c5,name:e4[2],strings:s6,ctor:e4[1]==="."?H:e4[1]==="?"?I:e4[1]==="@"?L:k}),r4.removeAttribute(t5)}else t5.startsWith(h)&&(d2.push({type:6,index:c5}),r4.removeAttribute(t5));if($.test(r4.tagName)){let t5=r4.textContent.split(h),s6=t5.length-1;if(s6>0){r4.textContent=i?i.emptyScript:"";for(let i5=0;i5<s6;i5++)r4.append(t5[i5],l()),C.nextNode(),d2.push({type:2,index:++c5});r4.append(t5[s6],l())}}}else if(r4.nodeType===8)if(r4.data===o)d2.push({type:2,index:c5});else{let t5=-1;for(;(t5=r4.data.indexOf(h,t5+1))!==-1;)d2.push({type:7,index:c5}),t5+=h.length-1}c5++}}static createElement(t4,i5){let s5=r.createElement("template");return s5.innerHTML=t4,s5}};function S(t4,i5,s5=t4,e4){if(i5===T)return i5;let h4=e4!==void 0?s5._$Co?.[e4]:s5._$Cl,o4=c(i5)?void 0:i5._$litDirective$;return h4?.constructor!==o4&&(h4?._$AO?.(!1),o4===void 0?h4=void 0:(h4=new o4(t4),h4._$AT(t4,s5,e4)),e4!==void 0?(s5._$Co??=[])[e4]=h4:s5._$Cl=h4),h4!==void 0&&(i5=S(t4,h4._$AS(t4,i5.values),h4,e4)),i5}var M=class{constructor(t4,i5){this._$AV=[],this._$AN=void 0,this._$AD=t4,this._$AM=i5}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(t4){let{el:{content:i5},parts:s5}=this._$AD,e4=(t4?.creationScope??r).importNode(i5,!0);C.currentNode=e4;let h4=C.nextNode(),o4=0,n4=0,l2=s5[0];for(;l2!==void 0;){if(o4===l2.index){let i6;l2.type===2?i6=new R(h4,h4.nextSibling,this,t4):l2.type===1?i6=new l2.ctor(h4,l2.name,l2.strings,this,t4):l2.type===6&&(i6=new z(h4,this,t4)),this._$AV.push(i6),l2=s5[++n4]}o4!==l2?.index&&(h4=C.nextNode(),o4++)}return C.currentNode=r,e4}p(t4){let i5=0;for(let s5 of this._$AV)s5!==void 0&&(s5.strings!==void 0?(s5._$AI(t4,s5,i5),i5+=s5.strings.length-2):s5._$AI(t4[i5])),i5++}},R=class _R{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(t4,i5,s5,e4){this.type=2,this._$AH=E,this._$AN=void 0,this._$AA=t4,this._$AB=i5,this._$AM=s5,this.options=e4,this._$Cv=e4?.isConnected??!0}get parentNode(){let t4=this._$AA.parentNode,i5=this._$AM;return i5!==void 0&&t4?.nodeType===11&&(t4=i5.parentNode),t4}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(t4,i5=this){t4=S(this,t4,i5),c(t4)?t4===E||t4==null||t4===""?(this._$AH!==E&&this._$AR(),this._$AH=E):t4!==this._$AH&&t4!==T&&this._(t4):t4._$litType$!==void 0?this.$(t4):t4.nodeType!==void 0?this.T(t4):u(t4)?this.k(t4):this._(t4)}O(t4){return this._$AA.parentNode.insertBefore(t4,this._$AB)}T(t4){this._$AH!==t4&&(this._$AR(),this._$AH=this.O(t4))}_(t4){this._$AH!==E&&c(this._$AH)?this._$AA.nextSibling.data=t4:this.T(r.createTextNode(t4)),this._$AH=t4}$(t4){let{values:i5,_$litType$:s5}=t4,e4=typeof s5=="number"?this._$AC(t4):(s5.el===void 0&&(s5.el=N.createElement(P(s5.h,s5.h[0]),this.options)),s5);if(this._$AH?._$AD===e4)this._$AH.p(i5);else{let t5=new M(e4,this),s6=t5.u(this.options);t5.p(i5),this.T(s6),this._$AH=t5}}_$AC(t4){let i5=A.get(t4.strings);return i5===void 0&&A.set(t4.strings,i5=new N(t4)),i5}k(t4){a(this._$AH)||(this._$AH=[],this._$AR());let i5=this._$AH,s5,e4=0;for(let h4 of t4)e4===i5.length?i5.push(s5=new _R(this.O(l()),this.O(l()),this,this.options)):s5=i5[e4],s5._$AI(h4),e4++;e4<i5.length&&(this._$AR(s5&&s5._$AB.nextSibling,e4),i5.length=e4)}_$AR(t4=this._$AA.nextSibling,i5){for(this._$AP?.(!1,!0,i5);t4!==this._$AB;){let i6=t4.nextSibling;t4.remove(),t4=i6}}setConnected(t4){this._$AM===void 0&&(this._$Cv=t4,this._$AP?.(t4))}},k=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(t4,i5,s5,e4,h4){this.type=1,this._$AH=E,this._$AN=void 0,this.element=t4,this.name=i5,this._$AM=e4,this.options=h4,s5.length>2||s5[0]!==""||s5[1]!==""?(this._$AH=Array(s5.length-1).fill(new String),this.strings=s5):this._$AH=E}_$AI(t4,i5=this,s5,e4){let h4=this.strings,o4=!1;if(h4===void 0)t4=S(this,t4,i5,0),o4=!c(t4)||t4!==this._$AH&&t4!==T,o4&&(this._$AH=t4);else{let e5=t4,n4,r4;for(t4=h4[0],n4=0;n4<h4.length-1;n4++)r4=S(this,e5[s5+n4],i5,n4),r4===T&&(r4=this._$AH[n4]),o4||=!c(r4)||r4!==this._$AH[n4],r4===E?t4=E:t4!==E&&(t4+=(r4??"")+h4[n4+1]),this._$AH[n4]=r4}o4&&!e4&&this.j(t4)}j(t4){t4===E?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,t4??"")}},H=class extends k{constructor(){super(...arguments),this.type=3}j(t4){this.element[this.name]=t4===E?void 0:t4}},I=class extends k{constructor(){super(...arguments),this.type=4}j(t4){this.element.toggleAttribute(this.name,!!t4&&t4!==E)}},L=class extends k{constructor(t4,i5,s5,e4,h4){super(t4,i5,s5,e4,h4),this.type=5}_$AI(t4,i5=this){if((t4=S(this,t4,i5,0)??E)===T)return;let s5=this._$AH,e4=t4===E&&s5!==E||t4.capture!==s5.capture||t4.once!==s5.once||t4.passive!==s5.passive,h4=t4!==E&&(s5===E||e4);e4&&this.element.removeEventListener(this.name,this,s5),h4&&this.element.addEventListener(this.name,this,t4),this._$AH=t4}handleEvent(t4){typeof this._$AH=="function"?this._$AH.call(this.options?.host??this.element,t4):this._$AH.handleEvent(t4)}},z=class{constructor(t4,i5,s5){this.element=t4,this.type=6,this._$AN=void 0,this._$AM=i5,this.options=s5}get _$AU(){return this._$AM._$AU}_$AI(t4){S(this,t4)}},Z={M:e,P:h,A:o,C:1,L:V,R:M,D:u,V:S,I:R,H:k,N:I,U:L,B:H,F:z},j=t.litHtmlPolyfillSupport;j?.(N,R),(t.litHtmlVersions??=[]).push("3.3.1");var B=(t4,i5,s5)=>{let e4=s5?.renderBefore??i5,h4=e4._$litPart$;if(h4===void 0){let t5=s5?.renderBefore??null;e4._$litPart$=h4=new R(i5.insertBefore(l(),t5),t5,void 0,s5??{})}return h4._$AI(t4),h4};var token=text=>text.replace(/\n/g,"⏎").trim()||"␣",percent=share3=>{let v3=100*share3;return v3>0&&v3<.001?"under 0.001%":v3>0&&v3<.1?`${figures(v3,1)}%`:`${v3>0&&v3<10?v3.toFixed(1).replace(/\.0$/,""):v3.toFixed(0)}%`},signed=value=>`${value>0?"+":value<0?"−":""}${Math.abs(value).toFixed(2)}`,figures=(value,n4=2)=>Number(value.toPrecision(n4)).toString(),nats=value=>signed(value).replace("+","").replace(/^−(?=0\.00$)/,""),point=({place:place2,layer})=>place2==="projector"?place2:`${place2==="language"?"language ":""}layer ${layer}`,times=(n4,singular,plural=`${singular}s`)=>`${n4} ${n4===1?singular:plural}`,plain=l2=>l2.name||(l2.guess?`${l2.guess}?`:`#${l2.id}`),counts=l2=>l2.precision===null||l2.support===null?"":`${Math.round(l2.precision*l2.support)} of ${l2.support}`;function name(l2,{number:number2=!0,counted:counted3=!1}={}){let id=number2?x`<small class="sp-id">#${l2.id}</small>`:E,seen3=counted3?counts(l2):"",title=seen3?backing(l2):E;if(l2.name)return x`<span class="sp-claim">${l2.name}</span> ${seen3?x`<small class="sp-id" title=${title}>${seen3} pictures</small>`:E}
      ${id}`;let guess=l2.guess?x`<span class="sp-guess" title=${title}
        >${l2.guess}? ${seen3?x`<small>${seen3}</small>`:E}</span
      >`:E;return x`<span class="sp-unnamed">unnamed</span> ${guess} ${id}`}var brief=l2=>l2.name||!l2.guess?name(l2,{number:!1}):x`<span class="sp-guess">${l2.guess}?</span>`;function backing(l2){let seen3=counts(l2);return seen3?`${seen3} pictures where it fires this strongly show ${l2.name?"it":`“${l2.guess}”`}`:""}function spans(numbers){let out=[];for(let n4 of[...numbers||[]].sort((a2,b2)=>a2-b2)){let last2=out[out.length-1];last2&&last2[1]===n4-1?last2[1]=n4:out.push([n4,n4])}return out.map(([a2,b2])=>a2===b2?`${a2}`:`${a2}-${b2}`).join(", ")}var chance=logprob=>percent(Math.exp(logprob));var state={analysis:null,page:null,kase:null,token:null,latent:null,patch:null,sought:null,hover:null,tab:"concepts",scope:"token",compare:!1,mode:"spotlight",filter:{everywhere:"apart",sparsest:0,densest:1,mean:0},more:12,order:"clusters",raw:!1,asked:!1,picked:[],own:{},ops:{},strength:0,region:null,image:null,keepError:!0,marking:!1,target:"",temperature:"",seed:"0",runs:[],at:-1,diagnosis:null,verified:null,jobs:{},errors:{},draft:{images:[],prompt:"",choice:"",layers:"",heads:""},drawer:null,term:null,evidence:!1,tour:-1,enlarged:null,shared:null,reading:null,layers:null,influence:null,path:null,pair:null,tree:null,likeness:"decoder",cut:{decoder:.7,tokens:.5},heads:null,cells:null,place:null,other:null,otherDraft:null,stages:null,needle:null,sae:null,trusts:{},boot:{offers:[],certificates:[],examples:[],listed:[],runs:!1,live:!1,naming:!1,models:0}},EDIT=["picked","own","ops","strength","region","image","keepError"],STROKES=["strength","region,image"],PAUSE=800,listeners=new Set,past=[],stroke="",struck=0,due=!1;function set(change3,undoable=!0){undoable&&remember(change3),Object.assign(state,change3),!due&&(due=!0,queueMicrotask(()=>{due=!1;for(let listener of listeners)listener(state)}))}function subscribe(listener){listeners.add(listener)}var edit=(of2=state)=>Object.fromEntries(EDIT.map(key2=>[key2,of2[key2]])),sameEdit=(a2,b2)=>JSON.stringify(edit(a2))===JSON.stringify(edit(b2)),canUndo=()=>past.length>0;function undo(){let before2=past.pop();stroke="",before2&&set(before2,!1)}function forgetPast(){past=[],stroke=""}function shownRun(s5=state){let run=s5.runs[s5.at]||null;return{run,stale:!!run&&!sameEdit(run.edit,s5)}}var choiceShown=(s5=state)=>s5.page?.choice||s5.draft.choice,forgotten=(s5,name2)=>({...s5.errors,[name2]:void 0});function recall(at3){let run=state.runs[at3];run&&set({...run.edit,at:at3,marking:!1})}function remember(change3){if(!EDIT.some(key2=>key2 in change3&&JSON.stringify(change3[key2])!==JSON.stringify(state[key2])))return;let what=Object.keys(change3).join(),now=Date.now();what===stroke&&now-struck<PAUSE&&STROKES.includes(what)||past.push({...edit(),at:state.at}),stroke=what,struck=now,past.length>100&&past.shift()}var KEY="scratchpad-unasked";addEventListener("pagehide",()=>{let typed2=state.draft.prompt,waits=state.analysis&&!state.kase&&typed2.trim()&&typed2!==state.analysis.prompt;stored(store=>waits?store.setItem(KEY,typed2):store.removeItem(KEY))});function unasked(){return stored(store=>{let typed2=store.getItem(KEY);return store.removeItem(KEY),typed2})}function stored(act){try{return act(sessionStorage)??null}catch{return null}}var GONE="The server can't be reached; try again once it is back.",EVERY=4e3,PATIENCE=2e4,LOST=2,timer=null;function watch(){timer??=setTimeout(look,EVERY,0)}async function look(missed){let now=Object.keys(state.jobs).length===0||await answers()?0:missed+1;now>=LOST&&giveUp(),timer=Object.keys(state.jobs).length>0?setTimeout(look,EVERY,now):null}function giveUp(){let errors=Object.fromEntries(Object.keys(state.jobs).map(name2=>[name2,GONE]));set({jobs:{},errors:{...state.errors,...errors}})}async function answers(){try{let asked4={cache:"no-store",signal:AbortSignal.timeout(PATIENCE)};return await fetch("./gradio_api/app_id",asked4),!0}catch(error){return error.name==="TimeoutError"}}var page=[...crypto.getRandomValues(new Uint8Array(16))].map(b2=>b2.toString(16).padStart(2,"0")).join(""),channels={},receivers={},calls={},tickets={},FUNCTIONS=["detail","overview","latent","search","rename","measured","file","stop"],jobs=0;function receives(name2,receive){receivers[name2]=receive}function channel(name2,line){channels[name2]=line;for(let key2 of FUNCTIONS)line.server&&line.server[key2]&&(calls[key2]=given=>line.server[key2](given));let take2=()=>{let text=line.read();text&&receivers[name2]?.(typeof text=="string"?JSON.parse(text):text)};line.watch(take2),take2()}var online=()=>"ask"in channels,can=name2=>name2 in calls;function send(name2,event,label2){if(!channels[name2]||state.jobs[name2])return!1;tickets[name2]=`${page}/${++jobs}`;let rest={...state.errors};return delete rest[name2],set({jobs:{...state.jobs,[name2]:{label:label2,n:jobs}},errors:rest}),channels[name2].trigger("select",{...event,key:state.page?state.page.key:"",ticket:tickets[name2]}),watch(),!0}function underway(name2,value){let job=state.jobs[name2];return value.progress?(job&&set({jobs:{...state.jobs,[name2]:{...job,...value.progress}}}),!0):(finish(name2,value.error),!!value.error)}function finish(name2,error){let left={...state.jobs};delete left[name2];let errors={...state.errors};delete errors[name2],error&&(errors[name2]=error),set({jobs:left,errors})}function lost(name2){state.jobs[name2]&&finish(name2,"The server couldn't take this; try again.")}function done(name2){state.jobs[name2]&&finish(name2,state.errors[name2])}function stop(name2){let job=state.jobs[name2];!job||!calls.stop||(set({jobs:{...state.jobs,[name2]:{...job,stopping:!0}}}),calls.stop(tickets[name2]))}function cancellable(){let running=Object.entries(state.jobs).sort((a2,b2)=>b2[1].n-a2[1].n);return running.length?running[0][0]:null}async function call(name2,given){if(!calls[name2])return{error:"There is no server behind this page."};try{let answer2=await calls[name2](given);return typeof answer2=="string"?JSON.parse(answer2):answer2}catch{return{error:GONE}}}async function upload(file){return(await channels.ask.upload(file)).path}var goesOn=(analysis2,kase)=>!!state.kase&&!kase&&analysis2.prompt===state.analysis.prompt&&analysis2.sae.identity===state.analysis.sae.identity;function load(value){let{analysis:analysis2,page:page3,kase}=decode(value);if(!kase&&!state.analysis&&new URLSearchParams(location.search).has("case"))return;let asked4=analysis2.tokens.filter(token2=>token2.role==="prompt"),opens=page3.open_token??(analysis2.outputs[0]||asked4[asked4.length-1]||{}).index,images=page3.images.map((src,n4)=>({src,ref:{shown:n4}})),typed2=kase||state.analysis?null:unasked(),jobs2=state.jobs.keep?{keep:state.jobs.keep}:{};if(set({analysis:analysis2,page:page3,kase,jobs:jobs2,token:opens??null,latent:analysis2.latents.has(state.sought)?state.sought:null,sought:null,patch:null,hover:null,more:12,picked:[],own:{},ops:{},strength:0,region:null,image:null,keepError:!0,marking:!1,...goesOn(analysis2,kase)?edit():{},runs:[],at:-1,diagnosis:null,verified:null,errors:{},scope:"token",target:"",layers:null,influence:null,path:null,pair:null,place:null,tree:null,heads:null,cells:null,stages:null,other:null,otherDraft:null,evidence:!1,shared:null,draft:{images,prompt:typed2??analysis2.prompt,choice:page3.choice||state.draft.choice,layers:spans(analysis2.settings.attention_layers),heads:spans(analysis2.settings.attention_heads)}},!1),kase){for(let test3 of kase.tests)remember2({test:test3,blank:analysis2.blank,nonce:`case/${state.runs.length}`});set({diagnosis:kase.diagnosis,verified:kase.verified}),state.runs.length&&recall(0)}state.reading&&set({reading:{...state.reading,steered:null}},!1),forgetPast(),reveal()}function remember2({test:test3,blank,nonce}){let run={test:test(test3),blank,nonce,edit:edit({...state,...editOf(test3.comparison.edit)})};set({runs:[...state.runs,run]},!1)}function tested(value){let asked4=state.jobs.test||value.opening;if(!(underway("test",value)||!asked4)&&(value.verified&&set({verified:value.verified,evidence:!0}),value.diagnosis&&set({diagnosis:value.diagnosis,evidence:!0}),!(!value.test||state.runs.some(run=>run.nonce===value.nonce)))){if(!state.analysis){waiting=value;return}remember2(value),recall(state.runs.length-1)}}var waiting=null;function reveal(){let value=waiting;waiting=null,value&&!state.kase&&tested(value)}receives("look",value=>{finish("ask"),load(value)});receives("test",tested);receives("boot",boot=>set({boot:{...state.boot,...boot},draft:{...state.draft,choice:boot.choice||""}}));receives("ask",value=>underway("ask",value));for(let name2 of["layers","stages","tree","influence"])receives(name2,value=>{underway(name2,value)||set({[name2]:value})});receives("steer",value=>{underway("steer",value)||state.reading?.id!==value.latent.id||set({reading:{...state.reading,steered:value}})});receives("heads",value=>{underway("heads",value)||set({heads:heads(value)})});var sampling=s5=>s5.temperature.trim()?{temperature:+s5.temperature,seed:Math.trunc(+s5.seed)||0}:null,LABELS={ablate:"Asking again",suggested:"Testing the suggested set",smallest:"Searching the smallest set",diagnose:"Diagnosing",verify:"Verifying predictions"};function test2(what){let s5=state;if(what==="ablate"&&!s5.picked.length&&s5.keepError)return!1;let event={do:what,target:s5.target.trim()||null,sampling:sampling(s5)};return send("test",what==="ablate"?{...event,edit:toEdit(s5)}:event,LABELS[what])}function toggle(ids){let picked=ids.every(id=>state.picked.includes(id))?state.picked.filter(id=>!ids.includes(id)):[...new Set([...state.picked,...ids])];set({picked})}function testOnly(ids){set({picked:[...ids],own:{},ops:{},strength:0}),test2("ablate")}function clear(){set({picked:[],own:{},ops:{},strength:0,keepError:!0,region:null,image:null,at:-1,target:""}),set({diagnosis:null,verified:null,temperature:"",seed:"0"})}var chooseToken=token2=>set({token:token2,latent:null,patch:null,scope:"token",more:12,hover:null,errors:forgotten(state,"heads")}),chooseLatent=id=>set({latent:state.latent===id?null:id,hover:null});function choosePatch(patch){let same2=patch===null||state.patch===patch,scope=same2?state.scope==="patch"?"token":state.scope:"patch";set({patch:same2?null:patch,scope,hover:null,more:12})}var asking_exports={};__export(asking_exports,{addPictures:()=>addPictures,ask:()=>ask,choose:()=>choose,example:()=>example,outdated:()=>outdated});function ask(){let{images,prompt,choice,layers:layers2,heads:heads2}=state.draft,refs2=images.map(image=>image.ref);send("ask",{images:refs2,prompt,choice,layers:layers2,heads:heads2},"Asking the model")}function example(n4){let row3=state.boot.examples[n4];set({draft:{...state.draft,images:[{src:row3.src,ref:{example:n4}}],prompt:row3.question}}),ask()}function choose(choice,latent=null){set({draft:{...state.draft,choice},sought:latent}),state.analysis&&ask()}async function addPictures(files2,replace){let added=[];for(let file of files2)try{let src=URL.createObjectURL(file);added.push({src,ref:{upload:await upload(file)}})}catch{finish("ask",`${file.name} couldn't be sent to the server; try again or choose another picture.`);return}let images=replace?added:[...state.draft.images.filter(image=>!image.broken),...added];finish("ask"),set({draft:{...state.draft,images}})}function outdated(s5){return!s5.analysis||s5.kase?!1:!(s5.draft.images.length===s5.page.images.length&&s5.draft.images.every((i5,n4)=>i5.ref.shown===n4))||!!s5.errors.ask||!!s5.jobs.ask}var SAYS={answering:"Answering",testing:"Ablating",measuring:"Image","reading layers":"Layer","finding concepts":"Finding concepts"};function going(s5,name2){let job=s5.jobs[name2];if(!job)return E;let step=job.text?`${job.text} …`:job.what?SAYS[job.what]||job.what:`${job.label} …`,of2=job.of?` ${job.done} of ${job.of}`:"",last2=cancellable()===name2;return x`<div class="sp-going">
    <p role="status">${step}${of2}</p>
    ${job.of?x`<progress max=${job.of} value=${job.done} aria-label="How far it is"></progress>`:x`<progress aria-label="How far it is"></progress>`}
    ${last2?x`<button
          type="button"
          class="sp-quietly"
          data-stop
          ?disabled=${job.stopping}
          @click=${()=>stop(name2)}
        >
          ${job.stopping?"Stopping …":"Cancel"}
        </button>`:E}
  </div>`}function trouble(s5,name2,again3=null){let sentence2=s5.errors[name2];return!sentence2||s5.jobs[name2]?E:x`<p class="sp-error" role="alert">
    ${sentence2}
    ${again3?x`<button type="button" class="sp-quietly" data-retry @click=${again3}>Try again</button>`:E}
  </p>`}var MOST=10;function askBar(s5){let{images,prompt}=s5.draft,write=e4=>set({draft:{...s5.draft,prompt:e4.target.value}}),submit=e4=>{e4.preventDefault(),ask()},enter=e4=>{e4.key==="Enter"&&!e4.shiftKey&&submit(e4)};return x`<form
    class="sp-ask"
    id="sp-ask"
    aria-label="Ask"
    ?hidden=${!s5.boot.live}
    @submit=${submit}
    @dragover=${e4=>e4.preventDefault()}
    @drop=${drop}
    @paste=${paste}
  >
    <div class="sp-pictures" role="group" aria-label="Pictures">
      ${images.map((image,n4)=>thumb(s5,image,n4))} ${images.length<MOST?add(images):E}
    </div>
    <textarea
      class="sp-question"
      aria-label="Question"
      placeholder="Ask about the picture"
      rows="1"
      maxlength="4000"
      .value=${prompt}
      @input=${write}
      @keydown=${enter}
    ></textarea>
    <button class="sp-go" id="sp-go" ?disabled=${!!s5.jobs.ask||!online()}>Ask</button>
    ${strip(s5)}
    <div class="sp-status" id="sp-status" aria-live="polite">
      ${going(s5,"ask")} ${trouble(s5,"ask")} ${trouble(s5,"link")} ${several(images,own(s5))}
    </div>
  </form>`}function thumb(s5,image,n4){let drop2=()=>set({draft:{...s5.draft,images:s5.draft.images.filter((_2,i5)=>i5!==n4)}});return x`<span class="sp-thumb"
    ><img src=${image.src} alt="Picture ${n4+1}" @error=${e4=>broken(e4,image)} /><button
      type="button"
      aria-label="Take picture ${n4+1} out"
      @click=${drop2}
    >
      ×
    </button></span
  >`}function broken(e4,image){e4.target.classList.add("sp-broken"),image.broken=!0}function add(images){let text=images.length?"Add or replace":"Add a picture";return x`<label class="sp-add" title="${text}: choose, drop or paste. Several are read together.">
    <input type="file" accept="image/*" multiple aria-label=${text} @change=${chosen} />
    <span aria-hidden="true">+</span></label
  >`}function take(files2){files2.length&&addPictures(files2,Scratchpad.state.draft.images.every(image=>!("upload"in image.ref)))}function chosen(e4){take([...e4.target.files]),e4.target.value=""}function drop(e4){e4.preventDefault(),take([...e4.dataTransfer.files])}function paste(e4){let files2=[...e4.clipboardData.files];files2.length&&(e4.preventDefault(),take(files2))}var own=s5=>s5.boot.offers.find(o4=>o4.id===(s5.draft.choice||s5.boot.choice))?.own,several=(images,own3)=>images.length<2?E:x`<p class="sp-note">
        ${images.length} pictures, read together. Write <code>&lt;image&gt;</code> into the question where
        each stands; else they stand before it.${own3?" The demo model was trained on one at a time.":""}
      </p>`;function strip(s5){let{examples}=s5.boot;return examples.length?x`<div class="sp-strip" role="group" aria-label="Examples" id="sp-examples">
    <small>examples</small>
    ${examples.map((row3,n4)=>x`<button
          type="button"
          data-example=${n4}
          title=${row3.question}
          aria-label=${`Example: ${row3.question}`}
          ?disabled=${!!s5.jobs.ask}
          @click=${()=>example(n4)}
        >
          <img src=${row3.src} alt="" />
        </button>`)}
  </div>`:E}/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var t2={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},e2=t4=>(...e4)=>({_$litDirective$:t4,values:e4}),i2=class{constructor(t4){}get _$AU(){return this._$AM._$AU}_$AT(t4,e4,i5){this._$Ct=t4,this._$AM=e4,this._$Ci=i5}_$AS(t4,e4){return this.update(t4,e4)}update(t4,e4){return this.render(...e4)}};/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var e3=class extends i2{constructor(i5){if(super(i5),this.it=E,i5.type!==t2.CHILD)throw Error(this.constructor.directiveName+"() can only be used in child bindings")}render(r4){if(r4===E||r4==null)return this._t=void 0,this.it=r4;if(r4===T)return r4;if(typeof r4!="string")throw Error(this.constructor.directiveName+"() called with a non-string value");if(r4===this.it)return this._t;this.it=r4;let s5=[r4];return s5.raw=s5,this._t={_$litType$:this.constructor.resultType,strings:s5,values:[]}}};e3.directiveName="unsafeHTML",e3.resultType=1;var o2=e2(e3);var words={latent:["Latent (concept)","One of the SAE's directions. It fires on some patches of some pictures; what those have in common is the concept it stands for."],sae:["SAE (sparse autoencoder)","Rewrites what the vision encoder holds of a patch as a sum of a few latents out of many. What it can't rewrite is its error."],patch:["Patch","One square of the picture, as the vision encoder reads it. Rows and columns are counted from 1."],attention:["Attention","How a token's reading of the picture is shared out among the patches: mean over heads and layers (all, unless some are chosen), summing to 100%. It shows where the model looked, not what it used."],activation:["Strength (activation)","How strongly a latent fires on a patch, as the SAE gives it; it has no unit."],score:["Score","A latent's strength on each patch, weighted by the chosen token's attention there, summed over patches."],plain:["Plain mean","A latent's strength, averaged over all patches of this picture: no token has a say."],region:["Inside and outside a region","A latent's strength, averaged over the region's patches, and over all others of the same picture. Concepts of a region are in the order of the difference."],everywhere:["Everywhere","The latent fires on more than half of the reference pictures. It may be part of the scenery rather than of this picture."],name:["Name","Shown as a claim only where held-out pictures back it at this strength; else it's a guess, and looks like one."],sparsity:["In how many pictures","Share of the reference pictures on which the latent fires at all."],mean:["Mean strength","Strength over a whole picture (mean over patches), averaged over the reference pictures on which the latent fires."],auroc:["AUROC","How well the latent's highest strength tells pictures that carry its label from the others; 0.5 is chance, 1 is never wrong."],logprob:["Log-probability","Natural logarithm of a probability, in nats: 0 is certain, −0.7 one in two, −2.3 one in ten."],change:["Change of log-probability","Under the edit, in nats: −0.7 is half as likely, −2.3 a tenth."],total:["Change of the answer","Change of the whole original answer's log-probability under the edit: the sum over its tokens, in nats."],control:["Control","The same edit on random sets of as many active latents of like activation. What they do as often is no evidence."],noise:["Noise","Random directions as long as the edit's own change, on every patch."],reconstruction:["Bare reconstruction","The SAE's rewriting alone, its error left out, with no latent edited."],verdict:["Verdict","Supported: the edit does what its controls don't. Not supported: they do it too, or it does nothing. Inconclusive: it couldn't be tested."],head:["Attention head","Each layer of the language model reads by several heads, each with its own attention; the map of a word is their mean, unless a head is chosen."],dose:["Dose and response","The model asked again with one latent's strength multiplied by 0 to 4, everywhere on the picture: how likely the original answer is then, and what it answers."],direct:["Direct effect on words","What the latent adds to the image tokens, read by the output layer as if it were the language model's last state (logit lens). No layer in between has a say, so it needn't happen."],edit:["Edit","What is changed before the model is asked again: a latent's strength is multiplied, set or added to, everywhere or in a region."],risen:["More active now","Latents that the edit left alone and that fire more under it: where a concept may come back."],grey:["Grey picture","The same question with a grey picture of the same size. The same answer there is habit, not sight."],heatmap:["Heatmap","Attention-weighted strength of each latent for each token. Each column has its own scale, unless raw values are shown."],cluster:["Cluster","Latents whose columns rise and fall together across tokens (1 − Pearson correlation, average linkage)."],tree:["Tree of likeness","Hierarchical clustering of the heatmap's latents (average linkage): by the angle between what they add to the activations (decoder rows), or by which words draw on them."],explained:["Variance explained","Share of the activations' variance on this picture that the SAE's rewriting keeps."],needle:["Needle","A benchmark of maps: one special cell in a grid. A map is right when its brightest cell is the needle's."],accuracy:["Accuracy of a map","Share of the needle's pictures, one for every cell, in which the map is brightest in the needle's cell."],chance:["By chance","How often a map that points anywhere would be right: one cell in so many."],maxsim:["MaxSim","Each query token's highest cosine over the image tokens, summed over the query."],cosine:["Cosine","Of two vectors: 1 where they point the same way, 0 where they have nothing in common."],spearman:["Rank correlation","Spearman's, of predicted and real effects: 1 if they put the latents in the same order, 0 if in none."],entropy:["Label entropy","How mixed the labels of a latent's top pictures are: 0 where all carry one label."],histogram:["Histogram","How many patches of the reference pictures have a strength in each range, from 2⁻⁶ to 2⁹; heights are logarithmic."],counter:["Counter-example","A picture that carries the label, and on which the latent stays silent, or the other way round."]},term=(key2,text=words[key2][0].toLowerCase())=>x`<button
    type="button"
    class="sp-term"
    data-term=${key2}
    title=${words[key2][1]}
    @click=${e4=>{e4.stopPropagation(),set({drawer:"glossary",term:key2})}}
  >
    ${text}
  </button>`,meaning=key2=>words[key2][1];var KINDS=[["case","Bundle"],["html","One page that opens from disk"],["png","Map as PNG"],["zip","Tables as CSV"]],link=id=>`${location.origin}${location.pathname}?case=${id}`;receives("keep",value=>{let{listed:listed2,runs}=value;if((listed2||runs!==void 0)&&set({boot:{...state.boot,listed:listed2||state.boot.listed,runs:runs??state.boot.runs}}),value.error&&!state.jobs.keep){finish("keep",value.error);return}underway("keep",value)||(value.forked&&history.replaceState(null,"",location.pathname),(value.id||value.again)&&set({shared:value}))});var tests=s5=>s5.runs.map(run=>({edit:run.test.comparison.edit,target:run.test.comparison.toward?run.test.comparison.toward.text:null,smallest:!!run.test.sufficient,sampling:run.test.comparison.sampled?run.test.comparison.sampled.sampling:null}));function share(s5){return x`${s5.kase?files(s5.kase.id):making(s5)} ${going(s5,"keep")} ${trouble(s5,"keep")}
  ${s5.kase?E:kept(s5.shared)}`}function making(s5){return x`<form class="sp-making" @submit=${e4=>{e4.preventDefault();let form2=new FormData(e4.target),event={do:"keep",title:form2.get("title"),notes:form2.get("notes"),listed:form2.has("listed"),tests:tests(s5),verified:!!s5.verified,diagnosed:!!s5.diagnosis,target:s5.target.trim()||null};send("keep",event,"Making the case")}}>
    <p class="sp-note">
      A case holds picture, answer, concepts and tests. It opens anywhere, with a model or without, and can't
      change.
    </p>
    <label>Title <input type="text" class="sp-title" name="title" maxlength="200" /></label>
    <label
      >Note
      <textarea
        class="sp-notes"
        name="notes"
        rows="4"
        maxlength="20000"
        placeholder="What does it show? Markdown"
      ></textarea>
    </label>
    <label class="sp-switch"
      ><input type="checkbox" name="listed" class="sp-listed" /> show it in the gallery
      <small>(otherwise only who has the link finds it)</small></label
    >
    <button class="sp-go" data-keep ?disabled=${!!s5.jobs.keep}>Keep this case</button>
  </form>`}function kept(value){if(!value||!value.id)return E;let copy2=async e4=>{let button2=e4.currentTarget;await navigator.clipboard.writeText(link(value.id)),button2.textContent="Copied"};return x`<div class="sp-kept" aria-live="polite">
    <p>
      <b>Kept.</b> <a href=${link(value.id)}>${link(value.id)}</a>
      <button type="button" class="sp-quietly" @click=${copy2}>Copy</button>
    </p>
    <p class="sp-note">
      ${value.delete_key?x`Key that deletes it, shown only now: <code>${value.delete_key}</code>`:"It was kept before, under the same link."}
    </p>
    ${files(value.id)}
  </div>`}function files(id){let fetch2=async(e4,kind)=>{let button2=e4.currentTarget;button2.disabled=!0;let made2=await call("file",`${id}/${kind}`);button2.disabled=!1,made2.error?finish("keep",made2.error):save(made2)};return x`<div class="sp-row">
    ${KINDS.map(([kind,text])=>x`<button type="button" class="sp-quietly" data-file=${kind} @click=${e4=>fetch2(e4,kind)}>
          ${text}
        </button>`)}
  </div>`}function save({name:name2,kind,data}){let a2=document.createElement("a");a2.href=URL.createObjectURL(new Blob([Uint8Array.from(atob(data),c5=>c5.charCodeAt(0))],{type:kind})),a2.download=name2,a2.click(),setTimeout(()=>URL.revokeObjectURL(a2.href),1e3)}var replay=id=>send("keep",{do:"replay",case:id},"Running it again"),fork=id=>send("keep",{do:"fork",case:id},"Opening it to go on");function replayed(value){if(!value||!value.again)return E;let r4=value.again,same2=r4.runs.filter(([a2,b2])=>a2===b2).length,apart=r4.logprob_difference;return x`<p class="sp-verdict sp-again" aria-live="polite">
    <b>${r4.agrees?"It agrees.":"It does not agree."}</b> ${r4.same_model?"The same model":"Another model"},
    ${r4.same_sae?"the same SAE":"another SAE"}; the answer is
    “${r4.answer}”${apart===null?", in other tokens":x`, token for token, ${term("logprob","log-probabilities")} at most ${apart.toExponential(1)} nats
        apart`}.
    ${r4.runs.length?`${same2} of ${r4.runs.length} edits give the answer that was kept.`:""}
  </p>`}function caseBanner(s5){let k2=s5.kase,a2=s5.analysis,busy=!!s5.jobs.keep;return x`<section class="sp-case" aria-label="Case">
    <div class="sp-caserow">
      <h2>${k2.title||"A case"}</h2>
      ${online()?actions(s5,k2,busy):E}
    </div>
    ${k2.notes_html?x`<div class="sp-notes-shown">${o2(k2.notes_html)}</div>`:E}
    <details class="sp-made">
      <summary>Made ${k2.made.at.slice(0,10)} by ${k2.made.by}</summary>
      <p class="sp-note">
        With ${a2.model.name} (${a2.model.identity}) and ${a2.sae.name} (${a2.sae.identity}),
        ${a2.sae.place?"":"vision "}${point(a2.sae)}. Its id is its content's hash: ${k2.id}
      </p>
    </details>
    ${going(s5,"keep")} ${trouble(s5,"keep")} ${replayed(s5.shared)}
  </section>`}function actions(s5,k2,busy){return s5.boot.runs?x`<button
      type="button"
      class="sp-quietly"
      data-again
      ?disabled=${busy}
      @click=${()=>replay(k2.id)}
    >
      Run it again
    </button>
    <button type="button" class="sp-go" data-fork ?disabled=${busy} @click=${()=>fork(k2.id)}>
      Go on from here
    </button>`:x`<span class="sp-note">No model loaded here: cases are shown, and can't be run again.</span>`}var Draws=class extends i2{key=null;render(){return T}update(part,[key2,draw2]){if(key2===this.key)return T;this.key=key2;let canvas=part.element;return queueMicrotask(()=>draw2(canvas)),T}},draws=e2(Draws);var MEASURES={auroc:"labels: AUROC of the latent chosen for each",precision:"labels: precision at 5",recall:"labels: recall at 5",explained:"variance explained",answers:"answers kept under reconstruction",loss:"loss recovered",causal:"answers changed by the likeliest latent, less by matched others",flips:"… changed by the likeliest latent",control_flips:"… changed by matched others"},certificate=s5=>s5.boot.certificates.find(c5=>c5.identity===s5.analysis?.sae.identity),beaten=baseline=>Object.values(baseline.beaten).length>0&&Object.values(baseline.beaten).every(Boolean);function badge(s5){if(!s5.analysis||!s5.boot.live)return E;let c5=certificate(s5);return c5?x`<button
    type="button"
    class="sp-badge"
    data-certificate
    title=${`SAE certificate: ${c5.sentence}`}
    @click=${()=>set({drawer:"certificate",term:null})}
  >
    beats ${c5.baselines.filter(beaten).length} of ${c5.baselines.length} baselines
  </button>`:s5.kase?E:x`<small class="sp-quiet" data-certificate="none" title="scratchpad eval-sae --sanity makes one"
          >no certificate</small
        >`}function certificateDrawer(s5){let c5=certificate(s5);if(!c5)return E;let{budget:b2}=c5,cut=b2.recipe_steps!==null&&b2.recipe_steps!==b2.steps;return x`<p>
      ${c5.sae} ${c5.sentence}. Its recipe was trained anew over ${times(c5.seeds.length,"seed")}, and so was
      each baseline that is trained, ${b2.steps} steps of ${b2.size} among ${b2.activations.toLocaleString("en")}
      ${term("activation","activations")}${cut?`; the SAE itself has had ${b2.recipe_steps} steps`:""}.
      Measured in ${c5.model}, on ${times(c5.pictures,"picture")} it never saw, ${times(c5.labels,"label")},
      ${times(c5.asked,"question")}.
    </p>
    <div class="sp-wide sp-measures" tabindex="0" role="region" aria-label="Measures">
      <table>
        <thead>
          <tr>
            <th></th>
            <th>this SAE</th>
            <th>trained anew</th>
            ${c5.baselines.map(baseline=>x`<th title=${baseline.made}>${baseline.name}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${Object.keys(MEASURES).filter(m4=>m4 in c5.trained).map(m4=>row(c5,m4))}
        </tbody>
      </table>
    </div>
    <p class="sp-note">
      ✓ beaten: this SAE and its recipe's whole 95% interval over seeds (±) lie above the baseline's. ✗ not
      beaten. An empty field wasn't measured.
    </p>
    <dl class="sp-glossary">
      ${c5.baselines.map(baseline=>x`<div data-baseline=${baseline.name}>
            <dt>${baseline.name}: ${beaten(baseline)?"beaten":"not beaten in every measure"}</dt>
            <dd>${baseline.made}${baseline.unmeasured?`; ${baseline.unmeasured}`:""}.</dd>
          </div>`)}
    </dl>
    ${c5.shared?x`<p class="sp-note">
          Of a seed's latents ${spread(c5.shared)} have a decoder row of cosine above 0.7 in another seed; of
          this SAE's, ${figure(c5.given_shared)}.
        </p>`:E}`}var row=(c5,m4)=>x`<tr data-measure=${m4}>
    <th scope="row">${MEASURES[m4]}</th>
    <td>${m4 in c5.given?figure(c5.given[m4]):E}</td>
    <td>${spread(c5.trained[m4])}</td>
    ${c5.baselines.map(baseline=>x`<td>
          ${m4 in baseline.measures?spread(baseline.measures[m4]):E}
          ${m4 in baseline.beaten?mark(baseline.beaten[m4]):E}
        </td>`)}
  </tr>`,mark=is=>x`<span aria-label=${is?"beaten":"not beaten"}>${is?"✓":"✗"}</span>`,figure=value=>value.toFixed(3).replace("-","−"),spread=v3=>figure(v3.mean)+(v3.values.length>1?` ±${(v3.mean-v3.low).toFixed(3)}`:"");var Modal=class extends i2{render(){return T}update({element}){return queueMicrotask(()=>element.isConnected&&!element.open&&element.showModal()),T}},showModal=e2(Modal)();var DRAWERS={glossary:["Glossary",glossary],gallery:["Gallery",gallery],share:["Share",share],certificate:["SAE certificate",certificateDrawer]};function drawers(s5){if(!s5.drawer)return E;let[title,view]=DRAWERS[s5.drawer],close=()=>set({drawer:null,term:null});return x`<dialog
    class="sp-dialog sp-drawer ${s5.drawer==="certificate"?"sp-drawer-wide":""}"
    id=${s5.drawer==="share"?"sp-keep":`sp-${s5.drawer}`}
    aria-label=${title}
    ${showModal}
    @close=${close}
    @click=${e4=>e4.target===e4.currentTarget&&e4.currentTarget.close()}
  >
    <header>
      <h2>${s5.drawer==="share"&&s5.kase?"Files":title}</h2>
      <form method="dialog"><button class="sp-quietly">Close</button></form>
    </header>
    <div class="sp-drawer-body">${view(s5)}</div>
  </dialog>`}function glossary(s5){let rows3=Object.entries(words).sort((a2,b2)=>a2[1][0].localeCompare(b2[1][0]));return x`<dl class="sp-glossary" ${draws(s5.term,reveal2)}>
    ${rows3.map(([key2,[title,text]])=>x`<div class=${s5.term===key2?"sp-chosen":""} data-entry=${key2}>
          <dt>${title}</dt>
          <dd>${text}</dd>
        </div>`)}
  </dl>`}var reveal2=list2=>requestAnimationFrame(()=>list2.querySelector(".sp-chosen")?.scrollIntoView({block:"center"}));function gallery(s5){return x`<div class="sp-shelf">
    ${s5.boot.listed.map(row3=>x`<a
          href="?case=${encodeURIComponent(row3.id)}"
          aria-current=${s5.kase&&s5.kase.id===row3.id?"page":E}
        >
          <img src=${row3.image} alt="" /><span>${row3.title}</span>
        </a>`)}
  </div>`}var derive_exports={};__export(derive_exports,{attention:()=>attention,branches:()=>branches,brush:()=>brush,clustersAt:()=>clustersAt,columns:()=>columns,everywhere:()=>everywhere,firing:()=>firing,labelled:()=>labelled,latentOf:()=>latentOf,ofPatch:()=>ofPatch,onMap:()=>onMap,passes:()=>passes,ranking:()=>ranking,rowsOf:()=>rowsOf,scored:()=>scored,spokenOf:()=>spokenOf,tokensOf:()=>tokensOf});function attention(a2,token2){let row3=a2.attentionRow.get(token2);return row3===void 0?null:a2.attention.subarray(row3*a2.patches,(row3+1)*a2.patches)}function firing(a2,latent){let out=new Float32Array(a2.patches),{codeIndices,codeValues,perPatch}=a2;for(let i5=0;i5<codeValues.length;i5++)codeIndices[i5]===latent&&codeValues[i5]>0&&(out[Math.floor(i5/perPatch)]=codeValues[i5]);return out}function ofPatch(a2,patch){let out=[];for(let i5=patch*a2.perPatch;i5<(patch+1)*a2.perPatch;i5++)a2.codeValues[i5]>0&&out.push({id:a2.codeIndices[i5],value:a2.codeValues[i5]});return out.sort((x2,y2)=>y2.value-x2.value)}var latentOf=(a2,id)=>a2.latents.get(id)||BARE(id),BARE=id=>({id,name:"",guess:"",precision:null,support:null,sparsity:null,mean_activation:null}),labelled=({id,name:name2})=>state.analysis?.latents.get(id)??{...BARE(id),guess:name2},everywhere=l2=>l2.sparsity!==null&&l2.sparsity>.5;function passes(s5,l2){let{sparsest,densest,mean:mean2}=s5.filter;return l2.sparsity!==null&&(l2.sparsity<sparsest||l2.sparsity>densest)?!1:l2.mean_activation===null||l2.mean_activation>=mean2}function scored(s5,scope=s5.scope,token2=s5.token){let a2=s5.analysis;if(scope==="patch"&&s5.patch!==null)return ofPatch(a2,s5.patch).map(row4=>({...latentOf(a2,row4.id),value:row4.value}));if(scope==="region"&&s5.place)return s5.place.latents.map(row4=>({...latentOf(a2,row4.id),value:row4.inside-row4.outside,inside:row4.inside,outside:row4.outside}));let row3=a2.scoreRow.get(token2),n4=a2.active.length,values=scope==="token"&&row3!==void 0?a2.scores.subarray(row3*n4,(row3+1)*n4):a2.means;return scope==="token"&&row3===void 0?[]:a2.active.map((id,i5)=>({...latentOf(a2,id),value:values[i5]})).filter(l2=>l2.value>0).sort((x2,y2)=>y2.value-x2.value)}function ranking(s5,scope=s5.scope){let all=scored(s5,scope),rows3=all.filter(l2=>passes(s5,l2)),among=s5.filter.everywhere==="among";return{cards:among?rows3:rows3.filter(l2=>!everywhere(l2)),apart:among?[]:rows3.filter(everywhere),hidden:all.length-rows3.length}}function tokensOf(a2,latent){let column3=a2.column.get(latent),out=new Map;if(column3===void 0)return out;let n4=a2.active.length,top=0;for(let[token2,row3]of a2.scoreRow){let value=a2.scores[row3*n4+column3];out.set(token2,value),value>top&&(top=value)}for(let[token2,value]of out)out.set(token2,top>0?value/top:0);return out}function spokenOf(a2,latent){let{tokens:tokens2,perToken,values,indices}=a2.spoken,out=new Map(tokens2.map(token2=>[token2,0])),top=0;for(let i5=0;i5<values.length;i5++)indices[i5]===latent&&values[i5]>0&&(out.set(tokens2[Math.floor(i5/perToken)],values[i5]),top=Math.max(top,values[i5]));for(let[token2,value]of out)out.set(token2,top>0?value/top:0);return out}function brush(s5){let{hover,analysis:a2}=s5,latent=hover?hover.latent??null:null,token2=hover?hover.token??null:null,patch=hover?hover.patch??null:null,lit2=null;return patch!==null?lit2=new Set(ofPatch(a2,patch).map(row3=>row3.id)):token2!==null&&(lit2=new Set(scored(s5,"token",token2).slice(0,8).map(l2=>l2.id))),{latent,token:token2,patch,lit:lit2}}function onMap(s5){let{latent,token:token2}=brush(s5);if(latent!==null)return{latent};if(token2!==null)return{token:token2};let cells2=s5.heads&&s5.heads.token===s5.token&&s5.heads.patches>0?s5.hover?.cells??s5.cells:null;return s5.hover?.cells&&cells2?{token:s5.token,cells:cells2}:s5.latent!==null?{latent:s5.latent}:{token:s5.token,cells:cells2}}function branches(tree){let made2=tree.leaves.map((id,i5)=>({at:i5,distance:0,leaves:[id]}));for(let{left,right,distance}of tree.merges){let[a2,b2]=[made2[left],made2[right]].sort((x2,y2)=>x2.at-y2.at);made2.push({at:(a2.at+b2.at)/2,distance,leaves:[...a2.leaves,...b2.leaves],of:[a2,b2]})}return made2}function clustersAt(made2,cut){let out=[],walk=branch=>{!branch.of||branch.distance<=cut?out.push(branch):branch.of.forEach(walk)};return made2.length&&walk(made2[made2.length-1]),out}function rowsOf(s5){let{heatmap:h4,byIndex}=s5.analysis,all=h4.tokens.map((_2,r4)=>r4),outputs=all.filter(r4=>byIndex.get(h4.tokens[r4]).role==="output");return s5.asked||!outputs.length?all:outputs}function columns(s5){let{heatmap:h4}=s5.analysis,among=s5.filter.everywhere==="among",shows=l2=>passes(s5,l2)&&(among||!everywhere(l2)),shown3=h4.latents.map((_2,c5)=>c5).filter(c5=>shows(latentOf(s5.analysis,h4.latents[c5])));if(s5.order==="clusters")return shown3;let row3=h4.tokens.indexOf(s5.token),n4=h4.latents.length,total=c5=>rowsOf(s5).reduce((sum2,r4)=>sum2+h4.raw[r4*n4+c5],0),value=s5.order==="token"&&row3>=0?c5=>h4.raw[row3*n4+c5]:total;return shown3.map(c5=>[value(c5),c5]).sort((x2,y2)=>y2[0]-x2[0]).map(([,c5])=>c5)}var KEY2="scratchpad-tour",concept=null,likeliest=cards=>{let size=card3=>Math.abs(state.analysis.effects.get(card3.id)??0);return[...cards.slice(0,12)].sort((a2,b2)=>size(b2)-size(a2))[0]},STEPS=[{name:"Look",lit:".sp-look",act:()=>{clear(),set({tab:"concepts",evidence:!1}),chooseToken(state.page.open_token??state.analysis.outputs[0]?.index)},text:()=>x`The answer, word by word. We chose <b>${word()}</b>: the picture is lit where the model looked.`},{name:"Find a concept",lit:()=>`[data-id="${concept}"]`,act:()=>{let{cards}=ranking(state),tested2=state.runs.filter(run=>run.test.changed).flatMap(run=>run.edit.picked);concept=(cards.find(card3=>tested2.includes(card3.id))??likeliest(cards))?.id??null,concept!==null&&state.latent!==concept&&chooseLatent(concept)},text:()=>x`Concepts behind it, each shown by pictures it fires on. We chose <b>${said()}</b>: this picture is
        lit where it fires.`},{name:"Switch it off",lit:".sp-test",act:()=>{concept!==null&&!state.picked.includes(concept)&&toggle([concept]),test2("ablate")},text:()=>state.jobs.test?x`Without <b>${said()}</b> the model is asked again, and so are its controls …`:x`Without <b>${said()}</b> the answer was
            “${shownRun().run?.test.comparison.after.text.trim()||"(nothing)"}”.`},{name:"Weigh the evidence",lit:".sp-test",act:()=>set({evidence:!0}),text:()=>x`The verdict is only as good as its controls: random concepts, noise, the bare reconstruction. Now
        try <b>Smallest set</b>.`}],word=()=>{let t4=state.analysis.byIndex.get(state.token);return t4?token(t4.text):""},said=()=>concept===null?"":plain(latentOf(state.analysis,concept)),startTour=()=>go(0);function go(step){set({tour:step}),STEPS[step].act();let target2=STEPS[step].lit;requestAnimationFrame(()=>{let element=document.querySelector(typeof target2=="function"?target2():target2),narrow=window.innerWidth<=760;element&&!element.closest(".sp-test")&&element.scrollIntoView({block:narrow?"start":"nearest"}),step===STEPS.length-1&&document.querySelector("[data-do=smallest]")?.scrollIntoView({block:"nearest",inline:"center"}),document.querySelector("#sp-tour [data-next]")?.focus({preventScroll:!0})})}function leave(){try{localStorage.setItem(KEY2,"1")}catch{}set({tour:-1})}function seen(){try{return localStorage.getItem(KEY2)}catch{return null}}function tour(s5){if(!s5.analysis||s5.kase||!s5.boot.live)return E;if(s5.tour<0)return E;let step=STEPS[s5.tour],last2=s5.tour===STEPS.length-1;return x`<div
    class="sp-tour"
    id="sp-tour"
    role="dialog"
    aria-label="Tour"
    @keydown=${e4=>e4.key==="Escape"&&leave()}
  >
    <p aria-live="polite"><b>${s5.tour+1} of ${STEPS.length} · ${step.name}.</b> ${step.text()}</p>
    <div class="sp-row">
      ${s5.tour?x`<button type="button" class="sp-quietly" data-back @click=${()=>go(s5.tour-1)}>
            Back
          </button>`:E}
      ${last2?E:x`<button
            type="button"
            class="sp-go"
            data-next
            ?disabled=${!!s5.jobs.test}
            @click=${()=>go(s5.tour+1)}
          >
            Next
          </button>`}
      <button type="button" class="sp-quietly" data-dismiss @click=${leave}>
        ${last2?"Done":"Leave"}
      </button>
    </div>
  </div>`}var offered=s5=>s5.boot.models>1?"model, SAE":"SAE";function header(s5){let a2=s5.analysis,opens=(drawer,text)=>x`<button
      type="button"
      class="sp-plain"
      data-open=${drawer}
      @click=${()=>set({drawer,term:null})}
    >
      ${text}
    </button>`;return x`<header class="sp-head" id="sp-header">
    <h1>Visual Scratchpad</h1>
    ${a2&&(s5.boot.models<2||s5.kase)?x`<span class="sp-model"><small>model</small> ${a2.model.name}</span>`:E}
    ${sae(s5)} ${badge(s5)}
    <nav aria-label="More">
      ${online()&&s5.boot.live&&a2&&!s5.kase?x`<button
            type="button"
            class=${seen()?"sp-plain":"sp-quietly"}
            data-tour
            @click=${startTour}
          >
            ${seen()?"Tour":"New here? Take the tour"}
          </button>`:E}
      ${opens("glossary","Glossary")} ${s5.boot.listed.length?opens("gallery","Gallery"):E}
      ${online()&&a2?opens("share",s5.kase?"Files":"Share"):E}
    </nav>
  </header>`}function sae(s5){let a2=s5.analysis,{offers:offers2}=s5.boot,latents=a2?x`${a2.sae.d_sae} ${term("latent","latents")}`:E;return offers2.length<2||s5.kase?a2?x`<span class="sp-model"
          ><small>${term("sae","SAE")}</small> ${a2.sae.name}
          <small class="sp-quiet">${point(a2.sae)}, ${latents}</small></span
        >`:E:x`<span class="sp-model"
    ><label
      ><small>${offered(s5)}</small>
      <select
        id="sp-choice"
        .value=${s5.draft.choice}
        ?disabled=${!!s5.jobs.ask}
        @change=${e4=>choose(e4.target.value)}
      >
        ${offers2.map(o4=>x`<option value=${o4.id} ?selected=${o4.id===s5.draft.choice}>${o4.label}</option>`)}
      </select></label
    >
    ${a2?x`<small class="sp-quiet">${latents}</small>`:E}</span
  >`}var details=new Map,REMEMBERED=600;function detail(id){let a2=state.analysis,own3=state.kase&&state.kase.references[id],key2=`${own3?state.kase.id:a2?a2.sae.name:""}/${id}`;return details.has(key2)||(details.size>REMEMBERED&&details.clear(),details.set(key2,own3?Promise.resolve({references:own3.map(reference)}):lookUp(a2,id,key2))),details.get(key2)}async function lookUp(a2,id,key2){let top=0;if(a2)for(let v3 of firing(a2,id))v3>top&&(top=v3);let told=await call("detail",[choiceShown(),id,top]);return told.error&&details.delete(key2),{error:told.error,references:(told.references||[]).map(reference)}}var STOPS=[[0,0,4],[40,11,84],[101,21,110],[159,42,99],[212,72,66],[245,125,21],[250,193,39],[252,255,164]],CHANGE=[[33,102,172],[103,160,206],[190,214,232],[245,245,242],[247,205,160],[230,140,60],[179,88,6]];function mix(stops,x2){let at3=Math.min(Math.max(x2,0),1)*(stops.length-1),i5=Math.min(Math.floor(at3),stops.length-2);return stops[i5].map((c5,j2)=>Math.round(c5+(at3-i5)*(stops[i5+1][j2]-c5)))}var strength=x2=>mix(STOPS,x2),change=x2=>mix(CHANGE,(x2+1)/2),LEVELS=Array.from({length:256},(_2,i5)=>`rgb(${strength(i5/255)})`),level=x2=>LEVELS[Math.min(255,Math.max(0,Math.round(255*x2)))];var sheet_exports={};__export(sheet_exports,{inPicture:()=>inPicture,onSheet:()=>onSheet,patchAt:()=>patchAt,patchBox:()=>patchBox,sheet:()=>sheet,snapped:()=>snapped,tileOf:()=>tileOf});var sheets=new WeakMap;function sheet(shot2){return sheets.has(shot2.sizes)||sheets.set(shot2.sizes,laid(shot2.sizes)),sheets.get(shot2.sizes)}function laid(sizes){let across=Math.ceil(Math.sqrt(sizes.length)),high=Math.max(...sizes.map(size=>size[0])),wide=Math.max(...sizes.map(size=>size[1])),gap=sizes.length>1?.03*Math.max(high,wide):0,places=[],y2=0,right=0;for(let i5=0;i5<sizes.length;i5+=across){let x2=0,row3=0;for(let[h4,w2]of sizes.slice(i5,i5+across)){let scale2=Math.min(high/h4,wide/w2);places.push([x2,y2,w2*scale2,h4*scale2]),x2+=w2*scale2+gap,row3=Math.max(row3,h4*scale2)}right=Math.max(right,x2-gap),y2+=row3+gap}return{size:[y2-gap,right],places}}function onSheet(shot2,image,[y0,x0,y1,x1]){let[x2,y2,w2,h4]=sheet(shot2).places[image],sy=h4/shot2.sizes[image][0],sx=w2/shot2.sizes[image][1];return[x2+x0*sx,y2+y0*sy,(x1-x0)*sx,(y1-y0)*sy]}function inPicture(shot2,x2,y2,image=null){let places=sheet(shot2).places,far=([px2,py2,w3,h5])=>Math.hypot(Math.max(px2-x2,0,x2-px2-w3),Math.max(py2-y2,0,y2-py2-h5)),i5=image??places.reduce((best,place2,n4)=>far(place2)<far(places[best])?n4:best,0),[px,py,w2,h4]=places[i5],[rows3,cols]=shot2.sizes[i5],inside=(v3,most)=>Math.min(Math.max(v3,0),1)*most;return{image:i5,y:inside((y2-py)/h4,rows3),x:inside((x2-px)/w2,cols),hit:far(places[i5])===0}}function tileOf(shot2,patch){let p3=patch;for(let tile of shot2.tiles){let all=tile.rows*tile.cols;if(p3<all)return{tile,row:Math.floor(p3/tile.cols),col:p3%tile.cols,image:tile.image||0};p3-=all}return null}function patchBox(shot2,patch){let{tile,row:row3,col}=tileOf(shot2,patch),[y0,x0,y1,x1]=tile.box,h4=(y1-y0)/tile.rows,w2=(x1-x0)/tile.cols;return[y0+row3*h4,x0+col*w2,y0+(row3+1)*h4,x0+(col+1)*w2]}function patchAt(shot2,image,y2,x2){let p3=0;for(let tile of shot2.tiles){let[y0,x0,y1,x1]=tile.box,row3=Math.floor((y2-y0)/(y1-y0)*tile.rows),col=Math.floor((x2-x0)/(x1-x0)*tile.cols),within3=row3>=0&&row3<tile.rows&&col>=0&&col<tile.cols;if((tile.image||0)===image&&within3)return p3+row3*tile.cols+col;p3+=tile.rows*tile.cols}return null}function snapped(shot2,image,[y0,x0,y1,x1]){if(shot2.tiles.findIndex(tile=>(tile.image||0)===image)<0)return null;let inset=.001,a2=patchAt(shot2,image,y0,x0),b2=patchAt(shot2,image,Math.max(y0,y1-inset),Math.max(x0,x1-inset));if(a2===null||b2===null)return null;let[from2,to]=[patchBox(shot2,a2),patchBox(shot2,b2)];return[0,1].map(i5=>Math.min(from2[i5],to[i5])).concat([2,3].map(i5=>Math.max(from2[i5],to[i5]))).map(Math.round)}var SHOWN=896,REMEMBERED2=600,FAINT=.03,pictures=new Map;function picture(src){if(!pictures.has(src)){pictures.size>REMEMBERED2&&pictures.clear();let loading=new Promise(done2=>{let image=new Image;image.onload=()=>done2(image),image.onerror=()=>done2(null),image.src=src});pictures.set(src,loading)}return pictures.get(src)}function shares(values){let top=0;for(let value of values)value>top&&(top=value);return top>0?values.map(value=>value/top):values}async function paint(canvas,shot2,values,how2={}){let{width=0,mode="spotlight",crop=null,box:box2=null,smooth=!1}=how2,turn=canvas.turn=(canvas.turn||0)+1,images=await Promise.all(shot2.images.map(picture));if(images.includes(null)||canvas.turn!==turn)return;let[h4,w2]=sheet(shot2).size,[x0,y0,cw,ch]=crop?[crop[0],crop[1],crop[2],crop[2]]:[0,0,w2,h4],scale2=(width||Math.min(cw,SHOWN))/cw,size=[Math.max(1,Math.round(cw*scale2)),Math.max(1,Math.round(ch*scale2))];[canvas.width,canvas.height]=size;let pen=canvas.getContext("2d"),place2=p3=>{p3.setTransform(scale2,0,0,scale2,-x0*scale2,-y0*scale2),p3.imageSmoothingQuality="high"},draw2=p3=>images.forEach((image,i5)=>p3.drawImage(image,...sheet(shot2).places[i5]));if(place2(pen),draw2(pen),values&&mode!=="plain"){let share3=shares(values);mode==="spotlight"?spotlight(pen,shot2,share3,size,place2,draw2,smooth):colour(pen,shot2,share3)}box2&&outline(pen,box2,scale2),canvas.dataset.painted=turn}function spotlight(pen,shot2,share3,size,place2,draw2,smooth){dim(pen,size);let light=new OffscreenCanvas(...size),bright=light.getContext("2d");place2(bright),draw2(bright),bright.globalCompositeOperation="destination-in";let mask=new OffscreenCanvas(...size),cover=mask.getContext("2d");place2(cover),cover.imageSmoothingEnabled=smooth;let p3=0;for(let tile of shot2.tiles){let small3=new ImageData(tile.cols,tile.rows);for(let i5=0;i5<tile.rows*tile.cols;i5++,p3++)small3.data[4*i5+3]=share3[p3]<FAINT?0:Math.min(255,255*(.2+.95*share3[p3]));let patches=new OffscreenCanvas(tile.cols,tile.rows);patches.getContext("2d").putImageData(small3,0,0),within(cover,shot2,tile,()=>cover.drawImage(patches,...onSheet(shot2,tile.image||0,tile.box)))}bright.setTransform(1,0,0,1,0,0),bright.drawImage(mask,0,0),pen.save(),pen.setTransform(1,0,0,1,0,0),pen.drawImage(light,0,0),pen.restore()}function dim(pen,[w2,h4]){pen.save(),pen.setTransform(1,0,0,1,0,0),pen.globalCompositeOperation="saturation",pen.fillStyle="#777",pen.fillRect(0,0,w2,h4),pen.globalCompositeOperation="source-over",pen.fillStyle="rgba(22, 24, 28, 0.56)",pen.fillRect(0,0,w2,h4),pen.restore()}function colour(pen,shot2,share3){let p3=0;for(let tile of shot2.tiles){let[x2,y2,w2,h4]=onSheet(shot2,tile.image||0,tile.box),[ch,cw]=[h4/tile.rows,w2/tile.cols];within(pen,shot2,tile,()=>{for(let i5=0;i5<tile.rows*tile.cols;i5++,p3++)share3[p3]<FAINT||(pen.globalAlpha=.15+.7*share3[p3],pen.fillStyle=level(.25+.75*share3[p3]),pen.fillRect(x2+i5%tile.cols*cw,y2+Math.floor(i5/tile.cols)*ch,cw,ch))})}}function within(pen,shot2,tile,draw2){pen.save(),pen.beginPath(),pen.rect(...sheet(shot2).places[tile.image||0]),pen.clip(),draw2(),pen.restore()}function outline(pen,box2,scale2){for(let[style,width]of[["#fff",4],["#111",1.5]])pen.strokeStyle=style,pen.lineWidth=width/scale2,pen.strokeRect(...box2)}function thumbnail(canvas,shot2,values,share3,width=96){let[h4,w2]=sheet(shot2).size;[canvas.width,canvas.height]=[width,Math.max(1,Math.round(width*h4/w2))];let pen=canvas.getContext("2d");pen.scale(width/w2,width/w2);let p3=0;for(let tile of shot2.tiles){let[x2,y2,tw,th]=onSheet(shot2,tile.image||0,tile.box),[cw,ch]=[tw/tile.cols,th/tile.rows];within(pen,shot2,tile,()=>{pen.fillStyle=level(0),pen.fillRect(x2,y2,tw,th);for(let i5=0;i5<tile.rows*tile.cols;i5++,p3++)values[p3]&&(pen.fillStyle=level(share3(values[p3])),pen.fillRect(x2+i5%tile.cols*cw,y2+Math.floor(i5/tile.cols)*ch,cw+.5,ch+.5))})}}function around(shot2,values,least=.5){let[h4,w2]=sheet(shot2).size,side0=Math.min(h4,w2),share3=shares(values),[left,top,right,bottom]=[1/0,1/0,-1/0,-1/0],p3=0;for(let tile of shot2.tiles){let[x2,y2,tw,th]=onSheet(shot2,tile.image||0,tile.box);for(let i5=0;i5<tile.rows*tile.cols;i5++,p3++){if(share3[p3]<.5)continue;let px=x2+i5%tile.cols*tw/tile.cols,py=y2+Math.floor(i5/tile.cols)*th/tile.rows;left=Math.min(left,px),top=Math.min(top,py),right=Math.max(right,px+tw/tile.cols),bottom=Math.max(bottom,py+th/tile.rows)}}if(!(right>left))return null;let side2=Math.min(side0,Math.max(least*side0,1.25*Math.max(right-left,bottom-top))),clamp=(v3,most)=>Math.min(Math.max(v3,0),most);return[clamp((left+right-side2)/2,w2-side2),clamp((top+bottom-side2)/2,h4-side2),side2]}var SIDE=96,shotOf=r4=>(r4.shot||={images:[r4.src],sizes:[[SIDE,SIDE]],tiles:[{box:[0,0,SIDE,SIDE],rows:r4.rows,cols:r4.cols}]},r4.shot),refs=(latent,rows3)=>rows3.map(r4=>x`<button
        type="button"
        class="sp-ref"
        aria-label=${`Reference picture: ${r4.labels}, strength ${figures(r4.activation)}. Show it large`}
        title=${`${r4.labels}; strength ${figures(r4.activation)}`}
        @click=${()=>set({enlarged:{latent,reference:r4}})}
      >
        <canvas ${draws(r4.src+r4.activation,canvas=>small(canvas,r4))}></canvas>
      </button>`);function small(canvas,r4){let shot2=shotOf(r4),fires=r4.values.some(v3=>v3>0),crop=fires?around(shot2,r4.values,.55):null;return paint(canvas,shot2,fires?r4.values:null,{width:2*SIDE,crop,smooth:!0})}function enlarged(s5){if(!s5.enlarged)return E;let{latent,reference:r4}=s5.enlarged,close=()=>set({enlarged:null}),l2=s5.analysis?latentOf(s5.analysis,latent):{id:latent,name:"",guess:""};return x`<dialog
    class="sp-dialog sp-large"
    aria-label="Reference picture"
    ${showModal}
    @close=${close}
    @click=${e4=>e4.target===e4.currentTarget&&close()}
  >
    <div class="sp-pair">
      <canvas
        ${draws(`plain${r4.src}`,canvas=>paint(canvas,shotOf(r4),null,{width:4*SIDE}))}
      ></canvas>
      <canvas
        ${draws(`spot${r4.src}${r4.activation}`,canvas=>paint(canvas,shotOf(r4),r4.values,{width:4*SIDE}))}
      ></canvas>
    </div>
    <p><b>${r4.labels}</b></p>
    <p class="sp-note">
      ${name(l2)} fires at most ${figures(r4.activation)} strong here (${r4.interval}). Right: where.
    </p>
    <form method="dialog"><button class="sp-quietly">Close</button></form>
  </dialog>`}var MOST2=16e3,png=()=>x`<button
    type="button"
    class="sp-png"
    data-png
    title="Save this panel as a picture"
    aria-label="Save this panel as a picture"
    @click=${save2}
  >
    PNG
  </button>`,rules=()=>[...document.styleSheets].flatMap(sheet2=>{try{return[...sheet2.cssRules]}catch{return[]}}).map(rule=>rule.cssText).filter(text=>text.includes("sp-")).join(`
`).replace(/<\//g,"<\\/");function still(node){let copy2=node.cloneNode(!0),[from2,to]=[node,copy2].map(root=>root.querySelectorAll("canvas, input, textarea"));from2.forEach((e4,i5)=>{if(e4.tagName!=="CANVAS"){to[i5].setAttribute("value",e4.value),to[i5].toggleAttribute("checked",!!e4.checked),e4.tagName==="TEXTAREA"&&(to[i5].textContent=e4.value);return}let image=document.createElement("img"),shown3=e4.whole?e4.whole():e4;image.src=shown3.toDataURL(),image.className=e4.className;let width=e4.whole?shown3.style.width:`${e4.offsetWidth}px`;image.style.cssText=`${e4.style.cssText};width:${width};height:${e4.offsetHeight}px`,to[i5].replaceWith(image)});for(let b2 of copy2.querySelectorAll("[data-png]"))b2.remove();return copy2}async function drawn(node){let scrolled=[...node.querySelectorAll(".sp-scroll")].map(e4=>e4.scrollWidth),wide=Math.max(node.offsetWidth,...scrolled)+48,high=node.scrollHeight+32,by2=Math.min(2,MOST2/wide),of2=getComputedStyle(node),paper=of2.getPropertyValue("--sp-paper").trim()||"#fff",[outer,box2,style]=["div","div","style"].map(tag=>document.createElement(tag));style.textContent=rules(),outer.className=document.body.classList.contains("dark")?"dark":"",box2.className="sp-page sp-still",box2.style.cssText=`box-sizing:border-box;width:${wide}px;max-width:none;padding:16px 24px;background:${paper};
    color:${of2.color};font:${of2.font}`,box2.append(style,still(node)),outer.append(box2);let text=new XMLSerializer().serializeToString(outer),size=`width="${by2*wide}" height="${by2*high}" viewBox="0 0 ${wide} ${high}"`,image=new Image,inside=`<foreignObject width="100%" height="100%">${text}</foreignObject>`,source=`<svg xmlns="http://www.w3.org/2000/svg" ${size}>${inside}</svg>`;image.src=`data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`,await image.decode();let canvas=document.createElement("canvas");[canvas.width,canvas.height]=[by2*wide,by2*high];let pen=canvas.getContext("2d");return pen.fillStyle=paper,pen.fillRect(0,0,canvas.width,canvas.height),pen.drawImage(image,0,0,canvas.width,canvas.height),new Promise(done2=>canvas.toBlob(done2,"image/png"))}async function save2(e4){e4.preventDefault();let button2=e4.currentTarget,panel=button2.closest("[data-name]")||button2.closest("section"),a2=document.createElement("a");button2.disabled=!0;try{a2.href=URL.createObjectURL(await drawn(panel)),a2.download=`${(panel.dataset.name||panel.getAttribute("aria-label")).toLowerCase().replace(/\W+/g,"-")}.png`,a2.click(),setTimeout(()=>URL.revokeObjectURL(a2.href),1e3)}catch{button2.textContent="not in this browser"}button2.disabled=!1}var hits=null;function forgetHits(){hits=null}async function show(which,what){let told=await call("search",[choiceShown(),which]),rows3=told.latents||[],ids=Array.isArray(which)?which:rows3.map(row3=>row3.id);hits={text:String(which),what,ids,rows:rows3,area:Array.isArray(which),error:told.error},set({})}function results(s5){let none2=!hits||!hits.ids.length,here5=!none2&&s5.analysis&&!s5.kase?hits.ids.filter(id=>s5.analysis.column.has(id)):[],still2=hits&&(hits.text||hits.what)?"":"sp-still";return x`<div class="sp-results ${hits&&!hits.area?"sp-named":""}">
    <div class="sp-bar sp-hitbar ${still2}">
      <span role="status">${none2?nothingFound():counted(s5,here5)}</span>
      ${here5.length?offers(s5,here5):E}
    </div>
    ${none2?E:x`<div class="sp-row sp-hits">
          ${hits.rows.map(l2=>x`<button
                type="button"
                class="sp-chip ${here5.includes(l2.id)?"sp-lit":""}"
                data-show=${l2.id}
                title=${here5.includes(l2.id)?"Fires on this picture":E}
                @click=${()=>openLatent(l2.id)}
              >
                ${brief(labelled(l2))} <small class="sp-id">#${l2.id}</small>
              </button>`)}
        </div>`}
  </div>`}function nothingFound(){return hits?hits.error?x`<span class="sp-error">${hits.error}</span>`:!hits.text.trim()&&!hits.what?E:hits.what?"No latent is there.":"No latent is named so.":E}function counted(s5,here5){let listed2=hits.rows.length<hits.ids.length?` (${hits.rows.length} are listed)`:"",fire=s5.analysis&&!s5.kase?`, ${here5.length} of them fire here`:"";return`${times(hits.ids.length,"latent")}${hits.what?` ${hits.what}`:""}${listed2}${fire}`}function offers(s5,here5){let all=here5.every(id=>s5.picked.includes(id));return x`<button
      type="button"
      class="sp-quietly"
      data-hits-put
      aria-pressed=${all}
      @click=${()=>toggle(here5)}
    >
      ${all?"✓ in the test":`Put ${here5.length} into the test`}</button
    ><button
      type="button"
      class="sp-quietly"
      data-hits-test
      ?disabled=${!!s5.jobs.test}
      title="Switches them off and asks again"
      @click=${()=>testOnly(here5)}
    >
      Test ${here5.length}
    </button>`}var FEW=6,Lasso=class extends i2{from=null;bound=!1;render(){return T}update(part,[drawn4,clicked]){if(Object.assign(this,{drawn:drawn4,clicked}),this.bound)return T;this.bound=!0;let canvas=part.element;return canvas.addEventListener("pointerdown",e4=>{this.from=at(e4),canvas.setPointerCapture(e4.pointerId)}),canvas.addEventListener("pointermove",e4=>this.from&&outline2(canvas,box(this.from,at(e4)))),canvas.addEventListener("pointercancel",()=>this.end(canvas)),canvas.addEventListener("pointerup",e4=>{if(!this.from)return;let area=box(this.from,at(e4));this.end(canvas),large(area)?this.drawn(area):this.clicked(e4)}),T}end(canvas){this.from=null,canvas.nextElementSibling.hidden=!0}},lasso=e2(Lasso),at=e4=>{let r4=e4.currentTarget.getBoundingClientRect();return[e4.clientX-r4.left,e4.clientY-r4.top]},box=([ax,ay],[bx,by2])=>[Math.min(ax,bx),Math.min(ay,by2),Math.max(ax,bx),Math.max(ay,by2)],large=([x0,y0,x1,y1])=>x1-x0>FEW||y1-y0>FEW;function outline2(canvas,area){let[x0,y0,x1,y1]=area,shown3=canvas.nextElementSibling;shown3.hidden=!large(area);let place2={left:x0,top:y0,width:x1-x0,height:y1-y0};for(let[side2,px]of Object.entries(place2))shown3.style[side2]=`${px}px`}var[LEFT,RIGHT,TOP,BOTTOM]=[64,46,44,48],HEIGHT=380,spots=[],drawn2=null;function draw(canvas,all,chosen4,shade2,ranges2){let w2=canvas.clientWidth||600,ratio2=window.devicePixelRatio||1;[canvas.width,canvas.height]=[w2*ratio2,HEIGHT*ratio2];let pen=canvas.getContext("2d");pen.scale(ratio2,ratio2);let style=getComputedStyle(canvas.closest(".sp-page")),ink=style.getPropertyValue("--sp-quiet").trim()||"#666";pen.font="12px ui-sans-serif, system-ui, sans-serif",pen.fillStyle=pen.strokeStyle=ink;let scale2=scales(all,w2);drawn2={all,scale:scale2},axes(pen,scale2,w2),spots=all.ids.map((id,i5)=>[scale2.x(all.sparsity[i5]),scale2.y(all.mean[i5]),id]),margins(pen,w2),points(pen,shade2,chosen4),ranges2&&frame(pen,scale2,ranges2,style.getPropertyValue("--sp-accent").trim()||"#0b6e69");let at3=spots.find(spot=>spot[2]===chosen4);at3&&(pen.strokeStyle=style.getPropertyValue("--sp-ink").trim()||"#111",pen.lineWidth=2,pen.beginPath(),pen.arc(at3[0],at3[1],9,0,7),pen.stroke())}var tint=share3=>level(.15+.75*share3);function scales(all,w2){let log=(v3,floor2)=>Math.log10(Math.max(v3,floor2)),floor=.5/Math.max(1,all.images),most=Math.max(...all.mean,1e-6),least=Math.max(1e-6,Math.min(...all.mean.filter(v3=>v3>0),most)),[wide,high]=[w2-LEFT-RIGHT,HEIGHT-BOTTOM-TOP],span=Math.max(1e-6,Math.log10(most)-Math.log10(least));return{floor,most,least,x:v3=>LEFT+wide*(log(v3,floor)-Math.log10(floor))/-Math.log10(floor),y:v3=>HEIGHT-BOTTOM-high*(log(v3,least)-Math.log10(least))/span}}function axes(pen,{x:x2,y:y2,floor,most,least},w2){pen.textAlign="center";for(let v3 of[1,.1,.01,.001])v3>=floor&&pen.fillText(`${100*v3}%`,x2(v3),HEIGHT-28);pen.fillText("fires in so many pictures",(LEFT+w2-RIGHT)/2,HEIGHT-8),pen.textAlign="right";for(let e4=-6;e4<=4;e4++)10**e4>=least&&10**e4<=most&&pen.fillText(String(10**e4),LEFT-10,y2(10**e4)+4);pen.save(),pen.translate(16,(TOP+HEIGHT-BOTTOM)/2),pen.rotate(-Math.PI/2),pen.textAlign="center",pen.fillText("mean strength where it fires",0,0),pen.restore()}function margins(pen,w2){let across=new Array(40).fill(0),up2=new Array(24).fill(0),[wide,high]=[w2-LEFT-RIGHT,HEIGHT-TOP-BOTTOM],bin=(v3,n4)=>Math.min(n4-1,Math.max(0,Math.floor(n4*v3)));for(let[sx,sy]of spots)across[bin((sx-LEFT)/wide,40)]++,up2[bin((sy-TOP)/high,24)]++;pen.globalAlpha=.35,across.forEach((n4,i5)=>{let t4=30*n4/Math.max(...across);pen.fillRect(LEFT+i5*wide/40,TOP-8-t4,wide/40-1,t4)}),up2.forEach((n4,i5)=>{let t4=34*n4/Math.max(...up2);pen.fillRect(w2-RIGHT+8,TOP+i5*high/24,t4,high/24-1)})}function points(pen,shade2,chosen4){let{low,high}=shade2;spots.forEach(([sx,sy,id],i5)=>{let value=shade2.values[i5];pen.globalAlpha=value===null?.22:.85,value!==null?pen.fillStyle=tint((value-low)/Math.max(high-low,1e-6)):pen.fillStyle=pen.strokeStyle,pen.beginPath(),pen.arc(sx,sy,id===chosen4?5:3.2,0,7),pen.fill()}),pen.globalAlpha=1}function frame(pen,{x:x2,y:y2},{sparsity,mean:mean2},colour2){let[left,right,top,bottom]=[x2(sparsity[0]),x2(sparsity[1]),y2(mean2[1]),y2(mean2[0])];pen.strokeStyle=colour2,pen.lineWidth=1.5,pen.strokeRect(left-4,top-4,right-left+8,bottom-top+8)}var extent=all=>({sparsity:ends(all.sparsity),mean:ends(all.mean)}),ends=values=>[Math.min(...values),Math.max(...values)];function spanned([x0,y0,x1,y1]){let hit=spots.flatMap(([x2,y2],i5)=>x2>=x0&&x2<=x1&&y2>=y0&&y2<=y1?[i5]:[]);if(!hit.length||!drawn2)return null;let of2=values=>ends(hit.map(i5=>values[i5]));return{sparsity:of2(drawn2.all.sparsity),mean:of2(drawn2.all.mean)}}function within2(all,{sparsity,mean:mean2}){let holds=(v3,[low,high])=>v3>=low&&v3<=high;return all.ids.flatMap((_2,i5)=>holds(all.sparsity[i5],sparsity)&&holds(all.mean[i5],mean2)?[i5]:[]).sort((a2,b2)=>all.sparsity[a2]-all.sparsity[b2]).map(i5=>all.ids[i5])}function nearest(e4){let r4=e4.currentTarget.getBoundingClientRect(),[px,py]=[e4.clientX-r4.left,e4.clientY-r4.top],[best,id]=[400,null];for(let[x2,y2,one]of spots){let d2=(x2-px)**2+(y2-py)**2;d2<best&&([best,id]=[d2,one])}return id}function arrows(e4,chosen4){let step={ArrowLeft:-1,ArrowRight:1}[e4.key];if(!step)return null;e4.preventDefault();let order=[...spots].sort((a2,b2)=>a2[0]-b2[0]).map(spot=>spot[2]);return order[Math.min(Math.max(order.indexOf(chosen4)+step,0),order.length-1)]}var percent2=share3=>Number((100*share3).toPrecision(6));function ranges(shown3,list2){return x`<form class="sp-ranges" aria-label="Rectangle in numbers" @submit=${e4=>{e4.preventDefault(),list2(read(e4.currentTarget))}}>
    <span class="sp-span">
      ${term("sparsity","in")}
      ${field("from","sparsity",percent2(shown3.sparsity[0]),"from this share of pictures, %")} to
      ${field("to","sparsity",percent2(shown3.sparsity[1]),"to this share of pictures, %")} % of pictures,
    </span>
    <span class="sp-span">
      ${term("mean","mean strength")} ${field("from","mean",shown3.mean[0],"from this mean strength")} to
      ${field("to","mean",shown3.mean[1],"to this mean strength")}
    </span>
    <button class="sp-quietly" data-list>List them</button>
  </form>`}var field=(end,what,value,label2)=>x`<input
    type="number"
    min="0"
    step="any"
    required
    data-side="${what} ${end}"
    aria-label=${label2}
    .value=${String(value)}
  />`;function rounded({sparsity,mean:mean2}){return{sparsity:outwards(sparsity),mean:outwards(mean2)}}function outwards([low,high]){let round=(v3,way)=>{if(!(v3>0))return 0;let unit=10**(Math.floor(Math.log10(v3))-2);return Number((way(v3/unit)*unit).toPrecision(3))};return[round(low,Math.floor),round(high,Math.ceil)]}function read(form2){let of2=(what,unit)=>["from","to"].map(end=>+form2.querySelector(`[data-side="${what} ${end}"]`).value/unit).sort((a2,b2)=>a2-b2);return{sparsity:of2("sparsity",100),mean:of2("mean",1)}}var waiting2=0,shadedBy="entropy",framed=null;function openSae(s5){if(s5.sae&&s5.sae.choice===s5.draft.choice)return;let choice=s5.draft.choice;state.sae={choice,all:null},framed=null,forgetHits(),queueMicrotask(async()=>{let all=await call("overview",choice);state.draft.choice===choice&&set({sae:{choice,all}})})}function saeTab(s5){let all=s5.sae&&s5.sae.all;return x`<div class="sp-bar">
      <label class="sp-field"
        ><span>find a ${term("latent","latent")} by word</span>
        <input type="search" class="sp-find" maxlength="80" placeholder="octopus" @input=${search} /></label
      >${s5.analysis?shading():E} ${all?.ids?.length?scale(shade(s5,all)):E}<span
        class="sp-gap"
      ></span
      >${png()}
    </div>
    ${all?.ids?.length?E:results(s5)}
    ${all&&all.error?x`<p class="sp-error" role="alert">${all.error}</p>`:E}
    ${all&&all.ids&&!all.ids.length?x`<p class="sp-note">This SAE has no index; scratchpad index makes one.</p>`:E}
    ${all&&all.ids&&all.ids.length?x`<div class="sp-points">
          ${scatter(s5,all)} ${ranges(framed??rounded(extent(all)),typed2=>list(all,typed2))}
          ${results(s5)}
        </div>`:E}`}var shading=()=>x`<label class="sp-field"
    >colour
    <select
      data-shade
      @change=${e4=>{shadedBy=e4.target.value,set({})}}
    >
      <option value="entropy" ?selected=${shadedBy==="entropy"}>label entropy</option>
      <option value="here" ?selected=${shadedBy==="here"}>strength on this picture</option>
    </select></label
  >`;function shade(s5,all){if(shadedBy==="entropy"||!s5.analysis){let known2=all.entropy.filter(v3=>v3!==null);return{values:all.entropy,low:Math.min(...known2,1/0),high:Math.max(...known2,0)}}let top=id=>firing(s5.analysis,id).reduce((most,v3)=>Math.max(most,v3),0),values=all.ids.map(id=>s5.analysis.column.has(id)?top(id):null);return{values,low:0,high:Math.max(...values,0)}}var GRADIENT=[0,.25,.5,.75,1].map(tint).join();function scale({low,high}){return high>low?x`<span class="sp-scale" title=${shadedBy==="entropy"?"nats":"strength"}
    ><span>${figures(low)}</span><i style="background:linear-gradient(90deg,${GRADIENT})"></i
    ><span>${figures(high)}${shadedBy==="entropy"?" nats":""}</span></span
  >`:E}var POINTS="latents by how many pictures they fire on and how strongly. Arrow keys step through them; the fields beside list those in a range.";function scatter(s5,all){let dark=document.body.classList.contains("dark"),marked2=s5.reading?.id??s5.latent,key2=[s5.sae.choice,s5.page?.key,shadedBy,marked2,dark,all.ids.length,JSON.stringify(framed)].join("/");return x`<figure class="sp-scatterbox">
    <div class="sp-scatterarea">
      <canvas
        class="sp-scatter"
        tabindex="0"
        role="img"
        aria-label=${`${all.ids.length} ${POINTS}`}
        ${draws(key2,canvas=>draw(canvas,all,marked2,shade(s5,all),framed))}
        ${lasso(area=>list(all,spanned(area)&&rounded(spanned(area))),e4=>pick(nearest(e4)))}
        @keydown=${e4=>pick(arrows(e4,s5.reading?.id??null))}
      ></canvas>
      <i class="sp-lasso" hidden></i>
    </div>
    <figcaption class="sp-note">
      Each point a latent that fires at all. ${explained()} Choose a point for its page; drag a rectangle, or
      type its sides, to list the latents in it.
    </figcaption>
  </figure>`}function list(all,typed2){framed=typed2,show(typed2?within2(all,typed2):[],"in the rectangle")}var explained=()=>shadedBy==="entropy"?x`Bright: its top pictures carry many labels (${term("entropy","label entropy")}); dark: one.`:x`Bright: it fires strongly on this picture; grey: not at all.`,pick=id=>id!=null&&openLatent(id);function search(e4){let text=e4.target.value;clearTimeout(waiting2),framed=null,waiting2=setTimeout(()=>show(text,""),150)}function showCluster(n4){framed=null,set({tab:"sae"}),show(n4,`in decoder cluster ${n4}`)}var[W,H2,PAD]=[560,128,16],LANES={edit:26,sets:50,noise:72,reconstruction:92};function ticks(low,high){let raw=(high-low)/4,unit=10**Math.floor(Math.log10(raw)),step=[1,2,5,10].map(m4=>m4*unit).find(v3=>v3>=raw),out=[];for(let v3=Math.ceil(low/step)*step;v3<=high+1e-9;v3+=step)out.push(Math.abs(v3)<1e-9?0:v3);return out}function plot({effect,control:k2}){let all=[0,effect,k2.reconstruction,...k2.effects,...k2.noise],spread2=Math.max(.1,Math.max(...all)-Math.min(...all)),[low,high]=[Math.min(...all)-.06*spread2,Math.max(...all)+.06*spread2],x2=v3=>PAD+(W-2*PAD)*(v3-low)/(high-low),dots=(values,flips,lane)=>values.map((v3,i5)=>b`<circle cx=${x2(v3)} cy=${lane} r="4.5" class=${flips[i5]?"sp-flips":""}
          ><title>${signed(v3)} nats${flips[i5]?", changes the answer":""}</title></circle>`),range3=values=>values.length?`between ${signed(Math.min(...values))} and ${signed(Math.max(...values))}`:"none";return x`<figure class="sp-plot">
    <figcaption class="sp-kicker">
      ${term("change","Change of the original answer's log-probability")}, nats: less likely ← 0 → more
      likely
    </figcaption>
    <div class="sp-plotrows">
      <svg
        viewBox="0 0 ${W} ${H2}"
        role="img"
        aria-label=${[`This edit ${signed(effect)} nats`,`random sets ${range3(k2.effects)}`,`noise ${range3(k2.noise)}`,`the bare reconstruction ${signed(k2.reconstruction)}`].join("; ")}
      >
        <line x1=${x2(0)} x2=${x2(0)} y1="10" y2="104" class="sp-zero" />
        ${Object.values(LANES).map(y2=>b`<line x1=${PAD} x2=${W-PAD} y1=${y2} y2=${y2} class="sp-lane" />`)}
        <rect x=${x2(effect)-5} y=${LANES.edit-9} width="10" height="18" rx="2" class="sp-edit" />
        <g class="sp-sets">${dots(k2.effects,k2.flips,LANES.sets)}</g>
        <g class="sp-noises">${dots(k2.noise,k2.noise_flips,LANES.noise)}</g>
        <g class="sp-bare">${dots([k2.reconstruction],[k2.reconstruction_flips],LANES.reconstruction)}</g>
        ${ticks(low,high).map(v3=>b`<text x=${x2(v3)} y="122" text-anchor="middle">${Number(v3.toFixed(2))}</text>`)}
      </svg>
      <ul class="sp-legend">
        <li class="sp-of-edit">this edit <b>${signed(effect)}</b></li>
        <li class="sp-of-sets">${k2.sets.length} ${term("control","random sets")}: ${flipped(k2.flips)}</li>
        <li class="sp-of-noise">${term("noise","noise")} as strong: ${flipped(k2.noise_flips)}</li>
        <li class="sp-of-bare">
          ${term("reconstruction","bare reconstruction")}: ${k2.reconstruction_flips?"changes":"keeps"} it
        </li>
      </ul>
    </div>
    <p class="sp-note">A filled mark changes the answer, a hollow one keeps it.</p>
  </figure>`}var flipped=flips=>`${flips.filter(Boolean).length} of ${flips.length} change the answer`;var[W2,H3]=[480,270],[LEFT2,RIGHT2,TOP2,BOTTOM2]=[58,16,34,46],MOST3=4;function steering(s5,id){if(!s5.analysis||s5.kase||!online())return E;if(!s5.analysis.column.has(id))return x`<p class="sp-note">
      It doesn't fire on this picture, so its strength does nothing to the answer.
    </p>`;let ask6=()=>send("steer",{latent:id,token:place(s5)},"Asking again at seven strengths"),steered=s5.reading.steered;return x`<section class="sp-steer" aria-label="What it does to this answer" data-name="steer">
    ${steered?shown(s5,steered):s5.jobs.steer?E:x`<p class="sp-note">
            <button type="button" class="sp-button" data-steer @click=${ask6}>Measure what it does</button>
            to this answer at strengths 0 to 4, and to which words. The model is asked some thirty times.
          </p>`}
    ${going(s5,"steer")} ${trouble(s5,"steer",ask6)}
  </section>`}function place(s5){let outputs=s5.analysis.outputs.map(t4=>t4.index);return[s5.token,s5.page.open_token,outputs[0]].find(index=>outputs.includes(index))??null}function shown(s5,v3){let said3=s5.analysis.byIndex.get(v3.token);return x`<div class="sp-dosed">
    <figure>
      <figcaption class="sp-kicker">
        ${term("dose","Dose and response")}: the answer as it's turned down and up
      </figcaption>
      ${curve(s5,v3)}
      <p class="sp-note">
        A filled mark changes the answer, a hollow one keeps it. Thin lines:
        ${v3.others.length?x`${v3.others.length} other latents of like strength here (${term("control")}).`:"no other latent fires here."}
      </p>
    </figure>
    <div>
      <p class="sp-kicker">Words measured in the place of <b>${said3?token(said3.text):"the answer"}</b></p>
      ${v3.raised.length+v3.lowered.length?x`<table class="sp-words">
            <thead>
              <tr>
                <th scope="col">word</th>
                <th scope="col">off</th>
                <th scope="col">doubled</th>
              </tr>
            </thead>
            <tbody>
              ${v3.raised.map(word2=>moved(word2,"▲"))}${v3.lowered.map(word2=>moved(word2,"▼"))}
            </tbody>
          </table>`:x`<p class="sp-note">
            None moves: every word is as likely when it's off and when it's doubled.
          </p>`}
      <p class="sp-note">How likely each is, of those that are at least 0.1% likely in either.</p>
      ${direct(v3)}
    </div>
  </div>`}var likely=logprob=>logprob<Math.log(.001)?"<0.1%":chance(logprob),moved=(word2,arrow)=>x`<tr title=${`${signed(word2.doubled-word2.off)} nats`}>
    <th scope="row"><small aria-hidden="true">${arrow}</small> ${token(word2.text)}</th>
    <td>${likely(word2.off)}</td>
    <td>${likely(word2.doubled)}</td>
  </tr>`;function direct(v3){if(v3.why_not_direct)return x`<p class="sp-note">No ${term("direct","direct effect")}: ${v3.why_not_direct}</p>`;let row3=words3=>words3.map(([text,score])=>x`<span>${token(text)} <small>${signed(score)}</small></span>`);return x`<p class="sp-kicker">
      ${term("direct","Read off directly")}, not run: logits against the mean word
    </p>
    <p class="sp-wordrow"><b>promotes</b> ${row3(v3.direct_raised)}</p>
    <p class="sp-wordrow"><b>suppresses</b> ${row3(v3.direct_lowered)}</p>`}function curve(s5,v3){let plain2=v3.doses.find(dose=>dose.strength===1).logprob,all=[...v3.doses.map(dose=>dose.logprob),...v3.others.flatMap(other=>other.logprobs)],spread2=Math.max(.1,Math.max(...all)-Math.min(...all)),[low,high]=[Math.min(...all)-.08*spread2,Math.max(...all)+.08*spread2],x2=strength3=>LEFT2+(W2-LEFT2-RIGHT2)*strength3/MOST3,y2=logprob=>TOP2+(H3-TOP2-BOTTOM2)*(high-logprob)/(high-low),path=points2=>`M${points2.map(([a2,b2])=>`${x2(a2).toFixed(1)} ${y2(b2).toFixed(1)}`).join("L")}`,control=other=>[[1,plain2],...other.strengths.map((strength3,i5)=>[strength3,other.logprobs[i5]])].sort((a2,b2)=>a2[0]-b2[0]),before2=s5.analysis.answer,middle=(TOP2+H3-BOTTOM2)/2,says3=dose=>`at ${dose.strength} ${nats(dose.logprob)} nats, answers “${dose.answer}”`;return x`<svg
    class="sp-dose"
    viewBox="0 0 ${W2} ${H3}"
    role="img"
    aria-label=${`Log-probability of the answer by strength: ${v3.doses.map(says3).join("; ")}`}
  >
    ${ticks(low,high).map(at3=>b`<line x1=${LEFT2} x2=${W2-RIGHT2} y1=${y2(at3)} y2=${y2(at3)} class="sp-lane" />
          <text x=${LEFT2-7} y=${y2(at3)+4} text-anchor="end">${figures(at3).replace("-","−")}</text>`)}
    <line x1=${x2(1)} x2=${x2(1)} y1=${TOP2} y2=${H3-BOTTOM2} class="sp-zero" />
    ${[0,1,2,3,4].map(at3=>b`<text x=${x2(at3)} y=${H3-BOTTOM2+17} text-anchor="middle">${at3}</text>`)}
    <text x=${(LEFT2+W2-RIGHT2)/2} y=${H3-8} text-anchor="middle">
      strength, times (1 is as it is, 0 is off)
    </text>
    <text x="14" y=${middle} text-anchor="middle" transform="rotate(-90 14 ${middle})">
      log-probability, nats
    </text>
    ${v3.others.map(other=>b`<path d=${path(control(other))} class="sp-other"
          ><title>${other.latent.name||"unnamed"} #${other.latent.id}</title></path>`)}
    <path d=${path(v3.doses.map(dose=>[dose.strength,dose.logprob]))} class="sp-own" />
    ${v3.doses.map(dose=>{let flips=dose.answer===before2?"":"sp-flips";return b`<circle cx=${x2(dose.strength)} cy=${y2(dose.logprob)} r="4.5" class=${flips}
        ><title>${says3(dose)}</title></circle>`})}
    ${answers2(v3.doses).map(({text,from:from2,to})=>b`<path d="M${x2(from2)-6} 24V20H${x2(to)+6}V24" class="sp-zero" />
          <text
            x=${(x2(from2)+x2(to))/2}
            y="13"
            text-anchor=${anchor(from2,to)}
            class=${text===before2?"":"sp-changed"}
          >${brief2(text,to-from2)}</text>`)}
  </svg>`}function answers2(doses){let out=[];for(let{strength:strength3,answer:answer2}of doses){let last2=out[out.length-1];last2&&last2.text===answer2?last2.to=strength3:out.push({text:answer2,from:strength3,to:strength3})}return out}var anchor=(from2,to)=>from2+to<1?"start":from2+to>2*MOST3-1?"end":"middle";function brief2(text,wide){let most=Math.max(6,Math.round(14*wide)),shown3=text||"(nothing)";return shown3.length>most?`${shown3.slice(0,most-1)}…`:shown3}async function openLatent(id){set({reading:{id},tab:"latent"}),remember3(id);let[told,{references:references2,error}]=await Promise.all([can("latent")?call("latent",[choiceShown(),id]):{},detail(id)]),data=told.entry??{error:told.error};state.reading?.id===id&&set({reading:{...state.reading,data,references:references2,error}})}function remember3(id){if(!location.protocol.startsWith("http"))return;let address=new URL(location);address.searchParams.set("latent",id),state.analysis&&address.searchParams.set("sae",state.analysis.sae.name),history.replaceState(null,"",address)}var asked=!1;function openAddressed(){let wanted=new URLSearchParams(location.search),[id,sae2]=[Number(wanted.get("latent")),wanted.get("sae")];if(!wanted.get("latent")||!Number.isInteger(id)||state.reading)return!0;if(sae2&&!state.kase&&sae2!==state.analysis.sae.name){let offer=state.boot.offers.find(each=>each.sae===sae2);if(!offer){let says3=`The link is of latent ${id} of the SAE “${sae2}”, which isn't offered here.`;return set({errors:{...state.errors,link:says3}}),!0}return asked&&!state.jobs.ask?!0:(asked||choose(offer.id),asked=!0,!1)}return openLatent(id),requestAnimationFrame(()=>{let page3=document.querySelector("#sp-latent");page3&&page3.getBoundingClientRect().top>window.innerHeight/2&&page3.scrollIntoView({block:"start"})}),!0}function latentPage(s5){let{id,data={},references:references2=null,error}=s5.reading,l2={...s5.analysis?latentOf(s5.analysis,id):{id,name:"",guess:"",sparsity:null}},off=s5.picked.includes(id),wrong=data.error||error;if(wrong)return x`<p class="sp-error" role="alert">${wrong}</p>`;let sparsity=data.sparsity??l2.sparsity??null,strength3=data.mean_activation??l2.mean_activation??null;return data.source==="user"?l2.name=data.name:!l2.name&&!l2.guess&&data.name&&(l2.guess=data.name),x`<div class="sp-bar">
      <h2>${name(l2)}</h2>
      ${sparsity!==null&&everywhere({sparsity})?x`<span class="sp-tag">${term("everywhere")}</span>`:E}
      <span class="sp-gap"></span>
      ${s5.analysis&&!s5.kase?x`<button
            type="button"
            class="sp-pick"
            data-put=${id}
            aria-pressed=${off}
            @click=${()=>toggle([id])}
          >
            ${off?"✓ off":"switch off"}
          </button>`:E}
      ${location.protocol.startsWith("http")?x`<button type="button" class="sp-quietly" @click=${copy} title="A link that opens this latent">
            Copy link
          </button>`:E}
    </div>
    <ul class="sp-facts">
      ${backing(l2)?x`<li>${backing(l2)} (${term("name","held-out pictures")})</li>`:E}
      ${sparsity===null?E:x`<li>fires in ${term("sparsity",`${percent(sparsity)} of pictures`)}</li>`}
      ${strength3===null?E:x`<li>${term("mean","mean strength")} ${figures(strength3)} where it does</li>`}
      ${data.auroc===null||data.auroc===void 0?E:x`<li>${term("auroc","AUROC")} ${data.auroc.toFixed(2)} for its label</li>`}
      ${data.source?x`<li>labelled after ${data.source}</li>`:E}
      ${data.cluster===void 0||data.cluster===null?E:x`<li>
            <button
              type="button"
              class="sp-link"
              data-group=${data.cluster}
              @click=${()=>showCluster(data.cluster)}
            >
              decoder cluster ${data.cluster}
            </button>
          </li>`}
    </ul>
    ${steering(s5,id)}
    ${references2?intervals(id,references2):x`<div class="sp-many">${[1,2,3,4,5,6].map(()=>x`<i class="sp-ghost"></i>`)}</div>`}
    ${data.histogram?histogram(data.histogram):E}
    ${data.neighbours&&data.neighbours.length?neighbours(data.neighbours):E}
    ${s5.boot.naming?naming(s5,id,l2,data):E}`}function intervals(id,references2){if(!references2.length)return x`<p class="sp-note">No reference pictures: the SAE has no index.</p>`;let groups=new Map;for(let r4 of references2)groups.set(r4.interval,[...groups.get(r4.interval)||[],r4]);return x`<div class="sp-intervals">
    ${[...groups].map(([interval2,rows3])=>{let strengths=rows3.map(r4=>r4.activation),[low,high]=[Math.min(...strengths),Math.max(...strengths)],range3=low===high?figures(high):`${figures(low)} to ${figures(high)}`;return x`<section aria-label=${interval2}>
        <p class="sp-kicker">
          ${interval2==="counter-example"?term("counter","counter-examples"):interval2}
          <small>strength ${range3}</small>
        </p>
        <div class="sp-many">${refs(id,rows3)}</div>
      </section>`})}
  </div>`}function histogram(h4){let most=Math.max(...h4,1);return x`<p class="sp-kicker">${term("histogram","How often it fires how strongly")}</p>
    <div class="sp-hist" role="img" aria-label="Histogram of strengths">
      ${h4.map(n4=>x`<i style="height:${(100*Math.log1p(n4)/Math.log1p(most)).toFixed(1)}%"></i>`)}
    </div>
    <p class="sp-note sp-hist-axis"><span>2⁻⁶</span><span>strength on patches</span><span>2⁹</span></p>`}var neighbours=rows3=>x`<p class="sp-kicker">Writes most alike (${term("cosine")} of decoder rows)</p>
    <div class="sp-row">
      ${rows3.map(n4=>x`<button type="button" class="sp-chip" data-show=${n4.id} @click=${()=>openLatent(n4.id)}>
            ${brief(labelled(n4))} <small class="sp-id">#${n4.id}</small>
            <small title=${meaning("cosine")}>${n4.cosine.toFixed(2)}</small>
          </button>`)}
    </div>`;async function copy(e4){let button2=e4.currentTarget;await navigator.clipboard.writeText(location.href),button2.textContent="Copied"}function naming(s5,id,l2,data){return x`<form class="sp-field sp-naming-form" @submit=${async e4=>{e4.preventDefault();let told=await call("rename",[choiceShown(),id,e4.target.querySelector("input").value]),entry=told.entry??{...data,error:told.error};!told.error&&s5.analysis?.latents.has(id)&&(s5.analysis.latents.get(id).name=entry.name||""),set({reading:{...state.reading,data:entry}})}}>
    <label
      >name it
      <input
        type="text"
        maxlength="80"
        .value=${data.source==="user"&&data.name||""}
        placeholder="a few words"
    /></label>
    <button class="sp-quietly">Name</button>
  </form>`}var heads_exports={};__export(heads_exports,{chosenCells:()=>chosenCells,headMap:()=>headMap});function chosenCells(h4,{layers:[first,last2],head}){let count3=(n4,from2=0)=>Array.from({length:n4},(_2,i5)=>from2+i5);return{layers:count3(last2-first+1,first),heads:head===null?count3(h4.heads):[head]}}function headMap(h4,cells2){let{layers:layers2,heads:heads2}=chosenCells(h4,cells2),values=new Float32Array(h4.patches),share3=0,total=0;for(let y2 of layers2)for(let x2 of heads2){let i5=y2*h4.heads+x2;share3+=h4.shares[i5]/(layers2.length*heads2.length);for(let p3=0;p3<h4.patches;p3++)values[p3]+=h4.maps[i5*h4.patches+p3]*h4.peaks[i5]}for(let v3 of values)total+=v3;return{share:share3,values:total>0?values.map(v3=>v3/total):values}}function links(s5,rows3){let few=rows3.map(row3=>({latent:latentOf(s5.analysis,row3.id),value:row3.value})).filter(({latent})=>passes(s5,latent)).filter(({latent})=>s5.filter.everywhere==="among"||!everywhere(latent)).slice(0,4),link2=({latent,value})=>x`<button
      type="button"
      class="sp-link"
      data-latent=${latent.id}
      aria-pressed=${s5.latent===latent.id}
      @click=${()=>chooseLatent(latent.id)}
    >
      ${brief(latent)} <small>${figures(value)}</small>
    </button>`;return few.length?few.map(link2):"nothing but what fires everywhere"}var STEPS2={ArrowLeft:[0,-1],ArrowRight:[0,1],ArrowUp:[-1,0],ArrowDown:[1,0]},geometry=()=>({images:state.page.images,sizes:state.analysis.sizes,tiles:state.analysis.tiles}),imageOf=i5=>state.analysis.sizes.length>1?i5:null,from=null,marked=!1,dragged=!1,anchor2=null;function point2(e4,image=null){let r4=e4.currentTarget.getBoundingClientRect(),[high,wide]=sheet(geometry()).size;return inPicture(geometry(),(e4.clientX-r4.left)/r4.width*wide,(e4.clientY-r4.top)/r4.height*high,image)}function patchUnder(e4){let at3=point2(e4);return at3.hit?patchAt(geometry(),at3.image,at3.y,at3.x):null}function down(e4){dragged=!1,state.marking&&(from=point2(e4),dragged=!0,set({hover:null}),e4.currentTarget.setPointerCapture(e4.pointerId),e4.preventDefault())}function move(e4){if(from){let to=point2(e4,from.image),box2=[Math.min(from.y,to.y),Math.min(from.x,to.x),Math.max(from.y,to.y),Math.max(from.x,to.x)],region=snapped(geometry(),from.image,box2);region&&set({region,image:imageOf(from.image)});return}if(e4.pointerType==="touch")return;let patch=patchUnder(e4);if(marked&&state.region)return;let before2=state.hover?state.hover.patch??null:null;patch!==before2&&set({hover:patch===null?null:{patch}})}function up(){from&&(from=null,marked=!0,set({marking:!1}))}function click(e4){if(state.marking||dragged)return;anchor2=null;let patch=patchUnder(e4);patch!==null&&choosePatch(patch)}function key(e4){if(e4.key==="Escape"){anchor2=null,state.region&&set({region:null,image:null,marking:!1}),set({marking:!1}),choosePatch(null);return}let step=STEPS2[e4.key];if(!step)return;e4.preventDefault();let first=state.patch===null,here5=first?0:state.patch,next=first?0:inTile(here5,step)??beside(here5,step,e4.shiftKey);next!==null&&go2(here5,next,e4.shiftKey)}function go2(here5,next,grows){let image=tileOf(geometry(),next).image;if(grows?(anchor2===null||!state.region||tileOf(geometry(),anchor2).image!==image)&&(anchor2=tileOf(geometry(),here5).image===image?here5:next):anchor2=null,set({patch:next,scope:"patch",hover:null}),anchor2===null){state.region&&set({region:null,image:null});return}let[a2,b2]=[patchBox(geometry(),anchor2),patchBox(geometry(),next)],ends2=[0,1].map(i5=>Math.min(a2[i5],b2[i5])).concat([2,3].map(i5=>Math.max(a2[i5],b2[i5])));set({region:ends2.map(Math.round),image:imageOf(image)})}function inTile(patch,[down1,right1]){let{tile,row:row3,col}=tileOf(geometry(),patch),[r4,c5]=[row3+down1,col+right1];return r4<0||r4>=tile.rows||c5<0||c5>=tile.cols?null:patch+down1*tile.cols+right1}function beside(patch,[down1,right1],within3){let own3=tileOf(geometry(),patch).image,[x2,y2,w2,h4]=onSheet(geometry(),own3,patchBox(geometry(),patch)),far=.05*Math.max(...sheet(geometry()).size);for(let[dx,dy]of[[w2*right1,h4*down1],[(w2/2+far)*right1,(h4/2+far)*down1]]){let at3=inPicture(geometry(),x2+w2/2+dx,y2+h4/2+dy);if(!at3.hit||within3&&at3.image!==own3)continue;let found3=patchAt(geometry(),at3.image,at3.y,at3.x);if(found3!==null&&found3!==patch)return found3}return null}var Input=class extends i2{render(){return T}update({element}){if(element.listens)return T;element.listens=!0;let on={pointerdown:down,pointermove:move,pointerup:up,click,keydown:key};on.pointerleave=()=>{marked=!1,state.hover&&set({hover:null})};for(let[name2,f4]of Object.entries(on))element.addEventListener(name2,f4);return T}},mapInput=e2(Input)();var asked2=null;function gridOf(a2,image){let first=0;for(let tile of a2.tiles){if((tile.image||0)===image)return{tile,first};first+=tile.rows*tile.cols}return null}function inPatches(a2,region,image){let{tile}=gridOf(a2,image||0),{rows:rows3,cols,box:box2}=tile;if(!region)return{rows:rows3,cols,top:1,bottom:rows3,left:1,right:cols};let[h4,w2]=[(box2[2]-box2[0])/rows3,(box2[3]-box2[1])/cols],at3=(v3,from2,size,most)=>Math.min(Math.max(Math.round((v3-from2)/size),0),most);return{rows:rows3,cols,top:Math.min(at3(region[0],box2[0],h4,rows3)+1,rows3),bottom:Math.max(at3(region[2],box2[0],h4,rows3),1),left:Math.min(at3(region[1],box2[1],w2,cols)+1,cols),right:Math.max(at3(region[3],box2[1],w2,cols),1)}}function ofPatches(a2,image,{top,bottom,left,right}){let{tile,first}=gridOf(a2,image||0),patch=(row3,col)=>first+(row3-1)*tile.cols+(col-1),[y0,x0]=patchBox(a2,patch(top,left)),[,,y1,x1]=patchBox(a2,patch(bottom,right));return snapped(a2,image||0,[y0,x0,y1,x1])}function placeText(a2,region,image){let{top,bottom,left,right}=inPatches(a2,region,image),span=(what,from2,to)=>from2===to?`${what} ${from2}`:`${what}s ${from2}–${to}`,of2=a2.sizes.length>1?` of picture ${(image||0)+1}`:"";return`${span("row",top,bottom)}, ${span("column",left,right)}${of2}`}function conceptsHere(){let{region,image}=state;region&&send("place",{region,image},"Looking there")&&(asked2={region,image})}receives("place",value=>{!state.jobs.place||underway("place",value)||set({place:{...asked2,latents:value.latents},scope:"region",tab:"concepts",patch:null,latent:null,hover:null,more:12})});function regionTool(s5){if(s5.kase)return E;let press=()=>s5.region?set({region:null,image:null,marking:!1}):set({marking:!s5.marking,patch:null}),text=s5.region&&!s5.marking?"Clear the region":"Mark a region";return x`${pictures2(s5)}<button
      type="button"
      class="sp-quietly"
      data-mark
      aria-pressed=${s5.marking}
      title="Limits tests to whole patches of a part of the picture, and lists what fires in it"
      @click=${press}
    >
      ${text}
    </button>
    ${here(s5)} ${s5.marking||s5.region?typed(s5):E}`}function pictures2(s5){let{sizes}=s5.analysis;return sizes.length<2||s5.region?E:x`<select
    data-image
    aria-label="Which pictures tests act on"
    @change=${e4=>set({image:e4.target.value===""?null:+e4.target.value})}
  >
    <option value="" ?selected=${s5.image===null}>tests on all</option>
    ${sizes.map((_2,i5)=>x`<option value=${i5} ?selected=${s5.image===i5}>on picture ${i5+1}</option>`)}
  </select>`}var here=s5=>s5.region&&online()&&s5.boot.live?x`<button
        type="button"
        class="sp-button"
        data-here
        ?disabled=${!!s5.jobs.place||!!s5.jobs.ask}
        title="Which concepts fire in the region and not elsewhere in the picture"
        @click=${conceptsHere}
      >
        Concepts here
      </button>`:E;function typed(s5){let at3=inPatches(s5.analysis,s5.region,s5.image),number2=(key2,most,label2)=>x`<input
      type="number"
      min="1"
      max=${most}
      step="1"
      data-range=${key2}
      aria-label=${label2}
      .value=${String(at3[key2])}
      @change=${e4=>type(s5,{...at3,[key2]:+e4.target.value},key2)}
    />`;return x`<div class="sp-region" role="group" aria-label="The region in patches, counted from 1">
    ${s5.marking?x`<span class="sp-note">Drag over the picture, or type:</span>`:E}
    <span class="sp-span"
      >rows ${number2("top",at3.rows,"first row")}–${number2("bottom",at3.rows,"last row")}</span
    >
    <span class="sp-span"
      >columns ${number2("left",at3.cols,"first column")}–${number2("right",at3.cols,"last column")}</span
    >
  </div>`}function type(s5,range3,key2){let[rows3,cols]=[range3.rows,range3.cols],whole3=(v3,most)=>Math.min(Math.max(Math.round(v3)||1,1),most),next={top:whole3(range3.top,rows3),bottom:whole3(range3.bottom,rows3),left:whole3(range3.left,cols),right:whole3(range3.right,cols)};next.top>next.bottom&&(next[key2==="top"?"bottom":"top"]=next[key2]),next.left>next.right&&(next[key2==="left"?"right":"left"]=next[key2]);let image=s5.analysis.sizes.length>1?s5.image??0:null;set({region:ofPatches(s5.analysis,image,next),image,marking:!1,patch:null})}function there(s5){let{region,image,latents}=s5.place,rows3=latents.map(row3=>({id:row3.id,value:row3.inside}));return x`<p class="sp-patch" data-there aria-live="polite">
    <span>${placeText(s5.analysis,region,image)}, ${term("region","inside")}:</span>
    ${links(s5,rows3)}
  </p>`}function chosen2(a2){let layers2=spans(a2.settings.attention_layers),heads2=spans(a2.settings.attention_heads),says3=[layers2&&counted2("layer",layers2),heads2&&counted2("head",heads2)].filter(Boolean);return says3.length?` of ${says3.join(", ")}`:""}var counted2=(what,numbers)=>`${what}${/^\d+$/.test(numbers)?"":"s"} ${numbers}`;function weighing(s5){if(s5.kase||!online())return E;let submit=e4=>{e4.preventDefault(),e4.currentTarget.closest("details").open=!1,ask()};return x`<details
    class="sp-pop"
    data-weighing
    @keydown=${e4=>e4.key==="Escape"&&(e4.currentTarget.open=!1)}
  >
    <summary class="sp-quietly">Weighting${chosen2(s5.analysis)?" ·":""}</summary>
    <form class="sp-filters" aria-label="Attention that weighs the concepts" @submit=${submit}>
      ${field2(s5,"layers")} ${field2(s5,"heads")}
      <p class="sp-note">
        Of the language model, counted from 0, as 0,3 or 2-5. Maps, concepts and heatmap go by the mean of
        what is chosen.
      </p>
      <button class="sp-quietly" data-weigh ?disabled=${!!s5.jobs.ask}>Read again</button>
    </form>
  </details>`}var field2=(s5,what)=>x`<label
    ><span>${what}</span>
    <input
      type="text"
      placeholder="all"
      maxlength="200"
      data-attention=${what}
      .value=${s5.draft[what]}
      @input=${e4=>set({draft:{...s5.draft,[what]:e4.target.value}})}
  /></label>`;var KINDS2={attention:["Maps of this kind","attentionTrust","attention"],concept:["Maps of the concepts an answer weighs","conceptTrust","sae-attention"]},PLACES={patch:["one black cell","cell"],"single-word":["one word","word"],"multi-words":["a word among words","words"],text:["a word in running text","text"],symbols:["a symbol among symbols","symbols"],scenes:["a thing of this model's own world","things"]};function trust(s5,kind){let[says3,field3,method]=KINDS2[kind];if(chosen2(s5.analysis))return x`<p class="sp-trust">
      How well maps${chosen2(s5.analysis)} find things isn't measured: what was measured is of all.
    </p>`;let measured=s5.trusts[method]!==void 0?s5.trusts[method]:s5.analysis[field3];return x`<p class="sp-trust">${sentence(measured,says3)} ${measured?E:measure(s5,method)}</p>`}function sentence(measured,says3){if(!measured)return`How well ${says3.replace("Maps","maps")} find things isn't measured of this model.`;let[first,...others]=measured.sets,chance2=Math.round(first.chance*first.images),all=x`, the test most like this question. In each:
    <span class="sp-worths">${measured.sets.map(bar)}</span>`;return x`${says3} pointed at the right place in ${count(first)} tests with ${PLACES[first.dataset][0]}
    (${chance2} by chance)${others.length?all:"."}
    <button type="button" class="sp-link" @click=${()=>set({tab:"maps"})}>How</button>`}var hits2=row3=>Math.round(row3.accuracy*row3.images),interval=row3=>`95%: ${percent(row3.low)} to ${percent(row3.high)}`,count=row3=>x`<span data-measured=${row3.dataset} title=${interval(row3)}><b>${hits2(row3)}</b> of ${row3.images}</span>`;function bar(row3){let[place2,short2]=PLACES[row3.dataset],says3=`${hits2(row3)} of ${row3.images} with ${place2}; ${interval(row3)}; ${percent(row3.chance)} by chance`,at3=`--v:${row3.accuracy};--low:${row3.low};--high:${row3.high};--chance:${row3.chance}`;return x`<span class="sp-worth" role="img" data-worth=${row3.dataset} title=${says3} aria-label=${says3}>
    ${short2} ${hits2(row3)}<i style=${at3}></i>
  </span>`}function measure(s5,method){return s5.kase||!can("measured")?E:x`<button type="button" class="sp-link" data-trust=${method} @click=${()=>{set({tab:"maps"}),send("needle",{by:"answer",dataset:"single-word",cells:"7x7",methods:[method]},"Measuring")}}>Measure it</button>`}var MODES=[["spotlight","Spotlight"],["colour","Colours"],["plain","Picture"]],shot=s5=>({images:s5.page.images,sizes:s5.analysis.sizes,tiles:s5.analysis.tiles});function map(s5){let a2=s5.analysis,{latent,token:token2,cells:cells2}=onMap(s5),headed=cells2?headMap(s5.heads,cells2):null,values=headed?.values??(latent!==void 0?firing(a2,latent):token2!==null?attention(a2,token2):null),top=values?values.reduce((most,v3)=>Math.max(most,v3),0):0,box2=outlined(s5),key2=[s5.page.key,latent,token2,JSON.stringify(cells2),s5.mode,box2].join("/"),[high,wide]=sheet(shot(s5)).size;return x`<figure class="sp-map">
    <div class="sp-frame" style="--ratio:${wide/high}">
      <canvas
        tabindex="0"
        role="img"
        aria-label=${`${label(s5,latent,token2)} Arrow keys choose a patch, Shift extends a region.`}
        class=${`${a2.sizes.length>1?"sp-sheet":""} ${s5.marking?"sp-marking":""}`}
        ${draws(key2,canvas=>paint(canvas,shot(s5),values,{mode:s5.mode,box:box2}))}
        ${mapInput}
      ></canvas>
    </div>
    <figcaption>
      <p class="sp-what">
        ${headed?ofHeads(s5,token2,cells2,headed,top):caption(s5,latent,token2,top)}
      </p>
      ${s5.scope==="region"&&s5.place?there(s5):here2(s5)}
      <div class="sp-maprow">${modes(s5)} ${regionTool(s5)}</div>
      ${going(s5,"place")} ${s5.region?trouble(s5,"place"):E}
      ${headed?x`<p class="sp-trust">How well maps of single heads or layers find things isn't measured.</p>`:trust(s5,latent!==void 0?"concept":"attention")}
    </figcaption>
  </figure>`}var label=(s5,latent,token2)=>latent!==void 0?`Where latent ${latent} fires.`:`Where token ${s5.analysis.byIndex.get(token2)?.text} looks.`;function outlined(s5){let a2=s5.analysis,hovered=brush(s5).patch,of2=patch=>onSheet(shot(s5),tileOf(a2,patch).image,patchBox(a2,patch));return s5.region&&(s5.marking||hovered===null)?onSheet(shot(s5),s5.image||0,s5.region):hovered!==null?of2(hovered):s5.patch!==null?of2(s5.patch):s5.image!==null?sheet(shot(s5)).places[s5.image]:null}function caption(s5,latent,token2,top){let a2=s5.analysis;if(latent!==void 0)return top>0?x`Where ${name(latentOf(a2,latent))} fires: at most ${figures(top)} ${term("activation","strong")}`:x`${name(a2.latents.get(latent)??elsewhere(s5,latent))} doesn't fire on this picture.`;let t4=a2.byIndex.get(token2);if(!t4)return E;let blind=top>0?E:x` It comes before the picture and can't see it.`,row3=t4.role==="output"?"as it was about to be said":"at its own place";return x`Where <b>${token(t4.text)}</b> looked (${term("attention")}${chosen2(a2)}, ${row3}): at most
    ${percent(top)} on one ${term("patch")}.${blind}`}var elsewhere=(s5,id)=>s5.other?.matched.by==="latent"&&s5.other.analysis.latents.get(id)||latentOf(s5.analysis,id);function ofHeads(s5,token2,cells2,{share:share3},top){let t4=s5.analysis.byIndex.get(token2);return x`Where <b>${token(t4.text)}</b> looked in ${cellsText(s5.heads,cells2)}: ${percent(share3)} of this
    ${term("attention")} is on the
    picture${share3>1e-5?x`, ${percent(top)} of that on one patch`:E}.
    ${s5.hover?.cells?E:x`<button type="button" class="sp-link" data-all-heads @click=${()=>set({cells:null})}>
          All layers and heads
        </button>`}`}function cellsText(h4,{layers:[first,last2],head}){return`${first===0&&last2===h4.layers-1?"all layers":first===last2?`layer ${first}`:`layers ${first}–${last2}`}, ${head===null?"all heads":`head ${head}`}`}function here2(s5){let a2=s5.analysis;if(s5.patch===null)return E;let{row:row3,col,image}=tileOf(a2,s5.patch),of2=a2.sizes.length>1?` of picture ${image+1}`:"";return x`<p class="sp-patch">
    <span>Patch in row ${row3+1}, column ${col+1}${of2}:</span>
    ${links(s5,ofPatch(a2,s5.patch))}
  </p>`}var modes=s5=>x`<div class="sp-segments" role="group" aria-label="How the map is drawn">
    ${MODES.map(([mode,text])=>x`<button
          type="button"
          data-mode=${mode}
          aria-pressed=${s5.mode===mode}
          @click=${()=>set({mode})}
        >
          ${text}
        </button>`)}
  </div>`;function look2(s5){if(!s5.analysis)return waiting3(s5);let old=outdated(s5)&&!s5.jobs.ask;return x`<section class="sp-look" id="sp-look" aria-label="Answer and map">
    ${old?x`<p class="sp-oldness" role="status">Of the question before; ask to renew it.</p>`:E}
    ${answer(s5)} ${map(s5)}
  </section>`}function answer(s5){let a2=s5.analysis,shown3=onMap(s5),weights=shown3.latent!==void 0?(a2.spoken?spokenOf:tokensOf)(a2,shown3.latent):new Map,lit2=brush(s5).token,chip3=t4=>tokenButton(s5,t4,weights.get(t4.index)||0,lit2===t4.index),of2=role=>a2.tokens.filter(t4=>t4.role===role),outputs=of2("output");return x`<div class="sp-said">
    <div class="sp-answer" role="group" aria-label="Answer, token by token">
      ${outputs.length?outputs.map(chip3):x`<em class="sp-nothing">${silent(a2)}</em>`}
    </div>
    <div class="sp-asked" role="group" aria-label="Question, token by token">
      ${of2("prompt").map(chip3)}
      <details class="sp-hidden">
        <summary title="System and template tokens">…</summary>
        <span>${of2("system").map(chip3)}</span>
      </details>
    </div>
    ${s5.page.note?x`<p class="sp-note sp-foreign">${s5.page.note}</p>`:E}
  </div>`}var silent=a2=>a2.sizes.length>1?"The model answered with nothing. It may not be trained on several pictures at once: ask about one of them.":"The model answered with nothing: it ended at once. Ask in other words.";function tokenButton(s5,t4,weight,lit2){let chosen4=s5.token===t4.index,sure=t4.logprob===null?`${t4.role} token`:`${chance(t4.logprob)} likely (log-probability ${nats(t4.logprob)}). ${meaning("logprob")}`;return x`<button
    type="button"
    class="sp-token sp-${t4.role} ${lit2?"sp-lit":""}"
    data-token=${t4.index}
    aria-pressed=${chosen4}
    style="--w:${weight.toFixed(2)}"
    title=${sure}
    @click=${()=>chooseToken(t4.index)}
    @pointerenter=${()=>set({hover:{token:t4.index}})}
    @pointerleave=${()=>set({hover:null})}
    @focus=${e4=>e4.target.matches(":focus-visible")&&set({hover:{token:t4.index}})}
    @blur=${()=>set({hover:null})}
  >
    ${token(t4.text)}
  </button>`}function waiting3(s5){let text=s5.boot.live?"Add a picture, ask a question, and the answer stands here.":"No model is loaded here: cases are shown. Open one from the gallery.";return x`<section class="sp-look" id="sp-look" aria-label="Answer and map">
    ${trouble(s5,"keep")}
    <p class="sp-note">${text}</p>
    <div class="sp-ghost sp-ghost-map"></div>
  </section>`}var choose2=cells2=>set({cells:cells2,latent:null,hover:null}),same=(a2,b2)=>JSON.stringify(a2)===JSON.stringify(b2),header2=(cells2,x2)=>number(`head ${x2}, these layers`,x2,{...cells2,head:x2},cells2),layerButton=(cells2,y2)=>number(`layer ${y2}, all heads`,y2,{layers:[y2,y2],head:null},cells2),number=(label2,text,to,cells2)=>x`<button
    type="button"
    class="sp-headed"
    aria-label=${label2}
    aria-pressed=${same(to,cells2)}
    @click=${()=>choose2(to)}
    @pointerenter=${()=>set({hover:{cells:to}})}
  >
    ${text}
  </button>`;function cell({s:s5,h:h4,top,chosen:chosen4,at:at3,drawn:drawn4},y2,x2){let share3=h4.shares[y2*h4.heads+x2],cells2={layers:[y2,y2],head:x2},says3=`Layer ${y2}, head ${x2}: ${percent(share3)} on the picture`,within3=chosen4.layers.includes(y2)&&chosen4.heads.includes(x2);return x`<button
    type="button"
    class="sp-cell ${within3?"sp-within":""} ${drawn4?"sp-drawn":""}"
    style=${drawn4?E:`background:${level(share3/top)}`}
    data-layer=${y2}
    data-head=${x2}
    tabindex=${y2===at3[0]&&x2===at3[1]?0:-1}
    aria-pressed=${within3}
    aria-label=${says3}
    title=${says3}
    @click=${()=>choose2(cells2)}
    @pointerenter=${()=>set({hover:{cells:cells2}})}
    @focus=${e4=>e4.target.matches(":focus-visible")&&set({hover:{cells:cells2}})}
    @blur=${()=>state.hover?.cells&&set({hover:null})}
  >
    ${drawn4?x`<canvas ${draws(`${s5.page.key}/${h4.token}`,canvas=>small2(canvas,s5,h4,y2,x2,top))}></canvas
          ><span>${Math.round(100*share3)}</span>`:E}
  </button>`}function small2(canvas,s5,h4,y2,x2,top){let i5=y2*h4.heads+x2,bright=h4.shares[i5]/top/255;thumbnail(canvas,shot(s5),h4.maps.subarray(i5*h4.patches,(i5+1)*h4.patches),value=>bright*value)}function arrows2(e4){let at3=e4.target.closest("[data-layer]"),[down2,across]={ArrowUp:[-1,0],ArrowDown:[1,0],ArrowLeft:[0,-1],ArrowRight:[0,1]}[e4.key]||[];if(!at3||down2===void 0)return;e4.preventDefault();let to=`[data-layer="${+at3.dataset.layer+down2}"][data-head="${+at3.dataset.head+across}"]`;e4.currentTarget.querySelector(to)?.focus()}var DRAWN=160;function openAttention(s5){!(s5.heads&&s5.heads.token===s5.token)&&s5.token!==null&&!s5.jobs.heads&&!s5.errors.heads&&queueMicrotask(ask2)}var ask2=()=>send("heads",{token:state.token},"Reading every head");function attentionTab(s5){let t4=s5.analysis.byIndex.get(s5.token);if(!t4)return x`<p class="sp-note sp-empty">Choose a word of the answer or of the question.</p>`;let h4=s5.heads&&s5.heads.token===s5.token?s5.heads:null;return x`<div class="sp-bar">
      <h2>Where <b>${token(t4.text)}</b> looked <small>by layer and head of the language model</small></h2>
      <span class="sp-gap"></span>${h4?range(s5,h4):E}${png()}
    </div>
    ${going(s5,"heads")} ${trouble(s5,"heads",ask2)}
    ${h4?matrix(s5,h4):s5.jobs.heads?x`<div class="sp-ghost sp-ghost-tall"></div>`:E}`}var whole=h4=>({layers:[0,h4.layers-1],head:null}),count2=n4=>[...Array(n4).keys()],mean=values=>values.reduce((sum2,v3)=>sum2+v3,0)/values.length;function matrix(s5,h4){let cells2=s5.cells??whole(h4),heads2=count2(h4.heads),view={s:s5,h:h4,cells:cells2,top:Math.max(...h4.shares,1e-9),chosen:s5.cells?chosenCells(h4,cells2):{layers:[],heads:[]},at:[cells2.layers[0],cells2.head??0],drawn:h4.patches>0&&h4.layers*h4.heads<=DRAWN};return x`<div class="sp-headsbox" style="--n:${h4.heads};--ratio:${ratio(s5)}">
      <table class="sp-heads" @keydown=${arrows2} @pointerleave=${()=>set({hover:null})}>
        <caption>
          ${view.drawn?"Where each head looks, as bright as":"Each cell:"} the share of its
          ${term("attention")} that falls on the picture; the rest falls on words.
          <span class="sp-scale"><span>0%</span><i></i><span>${percent(view.top)}</span></span>
        </caption>
        <thead>
          <tr>
            <th scope="col"><small>layer ↓</small><small>head →</small></th>
            ${heads2.map(x2=>x`<th scope="col">${header2(cells2,x2)}</th>`)}
            <th scope="col"><small>mean</small></th>
          </tr>
        </thead>
        <tbody>
          ${count2(h4.layers).map(y2=>x`<tr>
                <th scope="row">${layerButton(cells2,y2)}</th>
                ${heads2.map(x2=>x`<td>${cell(view,y2,x2)}</td>`)}
                <td class="sp-num">${percent(mean(heads2.map(x2=>h4.shares[y2*h4.heads+x2])))}</td>
              </tr>`)}
        </tbody>
      </table>
    </div>
    ${s5.cells?x`<p class="sp-note">
          <button
            type="button"
            class="sp-button"
            data-rank
            ?disabled=${!!s5.jobs.ask}
            @click=${()=>rankBy(s5)}
          >
            Rank concepts by ${cellsText(h4,s5.cells)}
          </button>
          reads the answer again with this attention alone.
        </p>`:E}
    ${h4.patches?beside2(s5,h4):x`<p class="sp-note">${LARGE}</p>`}
    <p class="sp-note">
      Point at a cell to see its map over the picture, choose it to keep it. A layer's or a head's number
      takes all of its row or column. Layers are counted from 0, first to last.
    </p>`}function rankBy(s5){let{layers:layers2,head}=s5.cells,span=(first,last2)=>first===last2?String(first):`${first}-${last2}`;set({draft:{...s5.draft,layers:span(...layers2),heads:head===null?"":String(head)}}),ask()}var ratio=s5=>{let[high,wide]=sheet(shot(s5)).size;return wide/high},LARGE="This model has too many heads and this picture too many patches to send every map; the endpoint head_map gives one.";function range(s5,h4){let cells2=s5.cells??whole(h4),[first,last2]=cells2.layers,pick2=(key2,label2,values,at3,to)=>x`<label class="sp-field"
      >${label2}
      <select
        data-heads=${key2}
        aria-label=${key2}
        @change=${e4=>choose2({...cells2,...to(e4.target.value)})}
      >
        ${values.map(([value,text])=>x`<option value=${value} ?selected=${value===at3}>${text}</option>`)}
      </select></label
    >`,numbers=n4=>count2(n4).map(i5=>[i5,String(i5)]);return x`${pick2("first layer","layers",numbers(h4.layers),first,v3=>({layers:[+v3,Math.max(+v3,last2)]}))}
  ${pick2("last layer","to",numbers(h4.layers),last2,v3=>({layers:[Math.min(first,+v3),+v3]}))}
  ${pick2("head","head",[["","all"],...numbers(h4.heads)],cells2.head??"",v3=>({head:v3===""?null:+v3}))}`}function beside2(s5,h4){let cells2=onMap(s5).cells??s5.cells??whole(h4),{share:share3,values}=headMap(h4,cells2),key2=[s5.page.key,h4.token,JSON.stringify(cells2),s5.mode].join("/");return x`<figure class="sp-beside">
    <canvas
      role="img"
      aria-label="Its map"
      ${draws(key2,canvas=>paint(canvas,shot(s5),values,{mode:s5.mode}))}
    ></canvas>
    <figcaption class="sp-note">${cellsText(h4,cells2)}: ${percent(share3)} on the picture</figcaption>
  </figure>`}var ROW=22,WAYS=[["decoder","decoder rows","1 − cosine of decoder rows"],["tokens","use by words","1 − correlation over words"]];function openClusters(s5){!(s5.tree&&s5.tree.by===s5.likeness)&&!s5.jobs.tree&&!s5.errors.tree&&queueMicrotask(ask3)}var ask3=()=>send("tree",{by:state.likeness},"Comparing latents");function clustersTab(s5){let own3=s5.tree&&s5.tree.by===s5.likeness?s5.tree:null;return x`<div class="sp-bar">
      <span class="sp-field">alike by</span>
      <div class="sp-segments" role="group" aria-label="By what latents are alike">
        ${WAYS.map(([by2,text])=>x`<button
              type="button"
              data-likeness=${by2}
              aria-pressed=${s5.likeness===by2}
              @click=${()=>set({likeness:by2,errors:forgotten(s5,"tree")})}
            >
              ${text}
            </button>`)}
      </div>
      <span class="sp-gap"></span>${png()}
    </div>
    ${going(s5,"tree")} ${trouble(s5,"tree",ask3)}
    ${own3?drawn3(s5,own3):s5.errors.tree?E:x`<div class="sp-ghost sp-ghost-tall"></div>`}`}function drawn3(s5,tree){if(tree.leaves.length<2)return x`<p class="sp-note sp-empty">Fewer than two latents fire here.</p>`;let title=WAYS.find(([by2])=>by2===tree.by)[2],made2=branches(tree),cut=s5.cut[tree.by],most=Math.max(...made2.map(branch=>branch.distance),cut)*1.04,groups=clustersAt(made2,cut),real=groups.filter(branch=>branch.of);return x`<p class="sp-note">
      ${times(real.length,"cluster")} among ${tree.leaves.length} latents, ${groups.length-real.length} by
      themselves, at this cut (${title}). Choose a branch to put it into the test.
    </p>
    <div class="sp-tree" style="--row:${ROW}px">
      <span class="sp-treehead">${axis(tree,cut,most)}</span>
      <div class="sp-leaves" role="group" aria-label="Latents">${tree.leaves.map(id=>leaf(s5,id))}</div>
      ${limbs(s5,tree,made2,cut,most)}
      <div class="sp-groups" role="group" aria-label="Clusters, each tested as one">
        ${real.map(branch=>group(s5,tree,branch))}
      </div>
    </div>
    <p class="sp-note">
      A ${term("tree","tree of likeness")}: the further right two branches meet, the less alike they are. ∀
      fires everywhere.
    </p>`}function axis(tree,cut,most){let title=WAYS.find(([by2])=>by2===tree.by)[2],marks=[0,.5,1,1.5,2].filter(v3=>v3<=most);return x`<label class="sp-cut"
      ><span>cut at ${figures(cut)}</span>
      <input
        type="range"
        data-cut
        min="0"
        max=${most}
        step="0.01"
        aria-label="Cut: ${title}"
        .value=${String(cut)}
        @input=${e4=>set({cut:{...state.cut,[tree.by]:+e4.target.value}})} /></label
    ><span class="sp-marks" aria-hidden="true"
      >${marks.map(v3=>x`<i style="left:${(100*v3/most).toFixed(1)}%">${v3}</i>`)}</span
    >`}var held=(s5,id)=>s5.hover?.branch?s5.hover.branch.includes(id):!1;function leaf(s5,id){let l2=latentOf(s5.analysis,id),picked=s5.picked.includes(id),lit2=held(s5,id)||s5.latent===id||brush(s5).latent===id;return x`<button
    type="button"
    class="sp-leaf ${lit2?"sp-lit":""} ${s5.hover?.branch&&!lit2?"sp-dim":""}"
    data-leaf=${id}
    aria-pressed=${s5.latent===id}
    title="${plain(l2)} #${id}: where it fires"
    @click=${()=>chooseLatent(id)}
    @pointerenter=${()=>set({hover:{latent:id}})}
    @pointerleave=${()=>set({hover:null})}
  >
    ${picked?"✓ ":""}${brief(l2)} ${everywhere(l2)?"∀":E}
  </button>`}function limbs(s5,tree,made2,cut,most){let high=ROW*tree.leaves.length,x2=distance=>100*distance/most,y2=at3=>ROW*(at3+.5),limb=branch=>{let[a2,b2]=branch.of,path=`M${x2(a2.distance)} ${y2(a2.at)}H${x2(branch.distance)}V${y2(b2.at)}H${x2(b2.distance)}`,on=branch.leaves.every(id=>s5.picked.includes(id)),lit2=s5.hover?.branch?.join()===branch.leaves.join()?"sp-lit":"",names=[...new Set(branch.leaves.map(id=>plain(latentOf(s5.analysis,id))))].slice(0,6).join(", ");return b`<g
      class="${branch.distance<=cut?"sp-one":""} ${on?"sp-on":""} ${lit2}"
      data-branch=${branch.leaves.join()}
      @click=${()=>toggle(branch.leaves)}
      @pointerenter=${()=>set({hover:{branch:branch.leaves}})}
      @pointerleave=${()=>set({hover:null})}
    ><title>${branch.leaves.length} latents: ${names}; they meet at ${figures(branch.distance)}</title
    ><path d=${path} class="sp-reach" /><path d=${path} /></g>`};return x`<svg
    class="sp-limbs"
    viewBox="0 0 100 ${high}"
    preserveAspectRatio="none"
    style="height:${high}px"
    role="img"
    aria-label="${tree.leaves.length} latents in a tree; clusters at the cut are buttons beside it"
  >
    <line x1=${x2(cut)} x2=${x2(cut)} y1="0" y2=${high} class="sp-zero" />
    ${made2.filter(branch=>branch.of).map(limb)}
  </svg>`}function group(s5,tree,branch){let ids=branch.leaves,on=ids.every(id=>s5.picked.includes(id)),first=Math.min(...ids.map(id=>tree.leaves.indexOf(id)));return x`<div class="sp-group ${on?"sp-on":""}" style="--at:${first};--many:${ids.length}">
    <button
      type="button"
      class="sp-link"
      data-group-put=${ids.join()}
      aria-pressed=${on}
      title="In or out of the test"
      @click=${()=>toggle(ids)}
      @pointerenter=${()=>set({hover:{branch:ids}})}
      @pointerleave=${()=>set({hover:null})}
    >
      ${on?"✓ ":""}${ids.length}<span>&nbsp;latents</span>
    </button>
    <button
      type="button"
      class="sp-quietly"
      data-group-test=${ids.join()}
      ?disabled=${!!s5.jobs.test}
      title="Switches these ${ids.length} off and asks again"
      @click=${()=>testOnly(ids)}
    >
      Test
    </button>
  </div>`}var asked3=[],shown2=s5=>s5.page.images.map((src,n4)=>({src,ref:{shown:n4}})),otherDraft=s5=>s5.otherDraft??{images:shown2(s5),prompt:s5.analysis.prompt,choice:s5.page.choice||s5.boot.choice||""},draftOther=change3=>set({otherDraft:{...otherDraft(state),...change3}});function compare(){let{images,prompt,choice}=otherDraft(state);send("compare",{images:images.map(image=>image.ref),prompt,choice},"Comparing")&&(asked3=images)}receives("compare",value=>{if(!state.jobs.compare||underway("compare",value))return;let{analysis:analysis2,page:page3}=decode(value.right),asking=analysis2.tokens.filter(t4=>t4.role==="prompt"),token2=page3.open_token??(analysis2.outputs[0]??asking[asking.length-1])?.index??null,latent=state.analysis.latents.has(state.latent)?state.latent:null;set({latent,other:{analysis:analysis2,page:page3,matched:value.matched,token:token2,latent:null,images:asked3},hover:null}),requestAnimationFrame(inSight)});function inSight(){let sides=document.querySelector(".sp-beside-sides");sides&&sides.getBoundingClientRect().top>window.innerHeight/2&&sides.scrollIntoView({block:"start"})}async function addOther(files2){let images=[];for(let file of files2)try{images.push({src:URL.createObjectURL(file),ref:{upload:await upload(file)}})}catch{finish("compare",`${file.name} couldn't be sent to the server; try again or choose another picture.`);return}finish("compare"),draftOther({images})}function goOnWithOther(){let{images,analysis:analysis2,page:page3}=state.other,choice=page3.choice||state.draft.choice;set({draft:{...state.draft,images,prompt:analysis2.prompt,choice}}),ask()}function chooseWord(side2,token2){side2==="left"&&chooseToken(token2);let other={...state.other,latent:null};set({latent:null,other:side2==="right"?{...other,token:token2}:other})}function chooseBeside(side2,id){let same2=side2==="left"||state.other.matched.by==="latent",next=(same2?state.latent:state.other.latent)===id?null:id;set({latent:same2?next:null,other:{...state.other,latent:same2?null:next},hover:null})}var OPPOSITE={left:"right",right:"left"},sideOf=(s5,side2)=>side2==="left"?s5:s5.other;function partners({by:by2,concepts:concepts2},side2,id){if(by2==="latent")return[id];let row3=concepts2.find(shared=>shared[side2].includes(id));return row3?row3[OPPOSITE[side2]]:[]}function lit(s5){let pick2=at3=>at3?at3.latent!==void 0&&at3.latent!==null?["left",at3.latent]:at3.beside!==void 0&&at3.beside!==null?["right",at3.beside]:null:null,from2=pick2(s5.hover)??pick2({latent:s5.latent,beside:s5.other.latent});if(!from2)return null;let[by2,id]=from2;return{by:by2,id,[by2]:[id],[OPPOSITE[by2]]:partners(s5.other.matched,by2,id)}}function firingOf(a2,ids){let out=new Float32Array(a2.patches);for(let id of ids)firing(a2,id).forEach((v3,p3)=>out[p3]=Math.max(out[p3],v3));return out}function listed(s5,side2,most){let all=at3=>scored({analysis:at3.analysis,token:at3.token,scope:"token"}),rank=new Map(all(sideOf(s5,OPPOSITE[side2])).map((l2,n4)=>[l2.id,n4+1])),there3=id=>{let ranks=partners(s5.other.matched,side2,id).map(other=>rank.get(other)).filter(Boolean);return ranks.length?Math.min(...ranks):null},among=s5.filter.everywhere==="among";return all(sideOf(s5,side2)).filter(l2=>passes(s5,l2)&&(among||!everywhere(l2))).slice(0,most).map(l2=>({...l2,there:there3(l2.id)}))}function otherForm(s5){let draft=otherDraft(s5);return x`<form class="sp-other" id="sp-other" aria-label="Compare with" @submit=${e4=>{e4.preventDefault(),compare()}}>
    <div class="sp-other-pictures" role="group" aria-label="Of which picture">${pictures3(s5,draft)}</div>
    <label class="sp-field sp-other-question"
      ><span>question</span>
      <input
        type="text"
        maxlength="4000"
        data-other="prompt"
        .value=${draft.prompt}
        @input=${e4=>draftOther({prompt:e4.target.value})}
    /></label>
    ${s5.boot.offers.length>1?x`<label class="sp-field"
          ><span>${offered(s5)}</span>
          <select data-other="choice" @change=${e4=>draftOther({choice:e4.target.value})}>
            ${s5.boot.offers.map(o4=>x`<option value=${o4.id} ?selected=${o4.id===draft.choice}>${o4.label}</option>`)}
          </select></label
        >`:E}
    <button class="sp-go" data-compare-go ?disabled=${!!s5.jobs.compare||!!s5.jobs.ask}>Compare</button>
    ${s5.other?E:x`<p class="sp-note">${SAYS2} ${offered(s5)}.</p>`}
  </form>`}var SAYS2="Keeps what is on show on the left, and sets beside it another picture, another question, or another";function pictures3(s5,draft){let of2=draft.images[0]?.ref??{},choice=(images,pressed2,label2,src,extra="")=>x`<button
      type="button"
      class="sp-other-picture"
      aria-pressed=${pressed2}
      aria-label=${label2}
      title=${label2}
      data-picture=${extra}
      @click=${()=>draftOther({images})}
    >
      <img src=${src} alt="" />
    </button>`,shown3=s5.page.images.map((src,n4)=>({src,ref:{shown:n4}})),many=shown3.length>1?`The ${shown3.length} pictures on show`:"The picture on show";return x`${choice(shown3,"shown"in of2,many,shown3[0]?.src,"shown")}
    ${"upload"in of2?choice(draft.images,!0,"What was added",draft.images[0].src,"upload"):E}
    ${s5.boot.examples.map((row3,n4)=>choice([{src:row3.src,ref:{example:n4}}],of2.example===n4,`Example: ${row3.question}`,row3.src,n4))}
    <label class="sp-add" title="Another picture, or several that are read together"
      ><input
        type="file"
        accept="image/*"
        multiple
        aria-label="Another picture"
        @change=${e4=>{let files2=[...e4.target.files];e4.target.value="",files2.length&&addOther(files2)}}
      /><span aria-hidden="true">+</span></label
    >`}function row2(s5,side2,l2,best,at3){let of2=sideOf(s5,side2),same2=side2==="left"||s5.other.matched.by==="latent",hover=same2?{latent:l2.id}:{beside:l2.id},picked=(same2?s5.latent:s5.other.latent)===l2.id,leave2=()=>set({hover:null});return x`<li
    class=${at3&&at3[side2].includes(l2.id)?"sp-lit":""}
    data-id=${l2.id}
    @pointerenter=${e4=>e4.pointerType!=="touch"&&set({hover})}
    @pointerleave=${leave2}
    @focusin=${e4=>e4.target.matches(":focus-visible")&&set({hover})}
    @focusout=${leave2}
  >
    <canvas
      class="sp-here"
      title="Where it fires on this picture"
      @click=${()=>chooseBeside(side2,l2.id)}
      ${draws(`${of2.page.key}/${l2.id}`,canvas=>here3(canvas,of2,l2.id))}
    ></canvas>
    <div class="sp-naming">
      <button type="button" class="sp-name" aria-pressed=${picked} @click=${()=>chooseBeside(side2,l2.id)}>
        ${name(l2)}
      </button>
      <p class="sp-says">
        <span class="sp-meter" style="--v:${(l2.value/best).toFixed(3)}"></span
        ><span>score ${figures(l2.value)}</span>
        <span class=${l2.there===null?"sp-apart":""}>${there2(s5,side2,l2)}</span>
      </p>
    </div>
  </li>`}function there2(s5,side2,l2){if(l2.there!==null)return`rank ${l2.there} there`;let partner=partners(s5.other.matched,side2,l2.id),other=sideOf(s5,side2==="left"?"right":"left").analysis.latents;return partner.some(id=>other.has(id))?"not behind the word there":s5.other.matched.by==="latent"?"doesn't fire there":l2.name?"unmatched":"unmatched: no claimed name"}function here3(canvas,of2,id){let values=firing(of2.analysis,id);return paint(canvas,shot(of2),values,{width:96,crop:around(shot(of2),values,.4),smooth:!0})}var MOST4=12;function compareTab(s5){let sides=s5.other?pair(s5):s5.jobs.compare?ghosts:E;return x`${otherForm(s5)}
    <div class="sp-status" aria-live="polite">${going(s5,"compare")} ${trouble(s5,"compare")}</div>
    ${sides}`}var ghosts=x`<div class="sp-beside-sides">
  <div class="sp-ghost sp-ghost-tall"></div>
  <div class="sp-ghost sp-ghost-tall"></div>
</div>`;function pair(s5){let at3=lit(s5);return x`<div class="sp-bar">
      <p class="sp-note sp-fills" data-matched=${s5.other.matched.by}>${matching(s5)}</p>
      <button
        type="button"
        class="sp-quietly"
        data-go-on
        ?disabled=${!!s5.jobs.ask}
        title="Asks the right one's question in place of the one on show, for all that the other tabs do"
        @click=${goOnWithOther}
      >
        Go on with the right one
      </button>
      ${png()}
    </div>
    <div class="sp-beside-sides ${s5.jobs.compare?"sp-waiting":""}">
      ${column(s5,"left",at3)} ${column(s5,"right",at3)}
    </div>
    <p class="sp-note">
      Concepts behind each side's chosen word; those that fire ${term("everywhere","everywhere")} are left
      out unless the filter sets them among the others. A rank is a place among all that fire there.
    </p>`}function matching(s5){let{by:by2,concepts:concepts2}=s5.other.matched;if(by2==="latent")return x`One SAE, ${s5.analysis.sae.name}, reads both, so a ${term("latent","latent")} is itself on
    either side. Firing on both: ${times(concepts2.length,"latent")}.`;let many=times(concepts2.length,"name");return x`Two SAEs read them, whose latents have only their names in common.
  ${term("name","Claimed names")} are matched, guesses are not:
  ${concepts2.length?`${many} on both sides.`:"no name is claimed on both sides."}`}function column(s5,side2,at3){let of2=sideOf(s5,side2),a2=of2.analysis,model=s5.analysis.model.identity===s5.other.analysis.model.identity?"":` · ${a2.model.name}`,rows3=listed(s5,side2,MOST4);return x`<section class="sp-beside-side" data-side=${side2} aria-label=${TITLES[side2]}>
    <header>
      <h2>${TITLES[side2]}</h2>
      <p class="sp-note">${a2.sae.name} · ${point(a2.sae)}${model}</p>
    </header>
    ${picture2(s5,side2,at3)}
    <div>
      ${words2(of2,side2)}
      <ol class="sp-beside-list" aria-label="Its concepts">
        ${rows3.map(l2=>row2(s5,side2,l2,rows3[0].value,at3))}
      </ol>
      ${rows3.length?E:x`<p class="sp-note">${empty(a2,of2.token)}</p>`}
    </div>
  </section>`}var TITLES={left:"On show",right:"Beside it"},empty=(a2,token2)=>a2.attentionRow.has(token2)?"No concept behind this word passes the filter.":"This word comes before the picture and can't see it: choose another.";function picture2(s5,side2,at3){let of2=sideOf(s5,side2),ids=at3?at3[side2]:null,values=ids?firingOf(of2.analysis,ids):attention(of2.analysis,of2.token),key2=[of2.page.key,side2,ids?`l${ids}`:of2.token,s5.mode].join("/"),top=values?values.reduce((most,v3)=>Math.max(most,v3),0):0,says3=ids?ofConcept(s5,side2,at3,top):ofWord(of2,top);return x`<figure>
    <canvas
      role="img"
      aria-label="The picture under the map that is described below it"
      class="sp-beside-map"
      ${draws(key2,canvas=>paint(canvas,shot(of2),values,{mode:s5.mode}))}
    ></canvas>
    <figcaption class="sp-note">${says3}</figcaption>
  </figure>`}function ofWord(of2,top){let t4=of2.analysis.byIndex.get(of2.token);return t4?top>0?x`Where <b>${token(t4.text)}</b> looked${chosen2(of2.analysis)}: at most ${percent(top)} on one patch.`:x`<b>${token(t4.text)}</b> comes before the picture and can't see it.`:E}function ofConcept(s5,side2,at3,top){let own3=sideOf(s5,side2).analysis.latents,from2=sideOf(s5,at3.by).analysis.latents.get(at3.id)??{id:at3.id},other=sideOf(s5,side2==="left"?"right":"left").analysis.latents,ids=at3[side2];if(!ids.length)return x`Nothing here is matched with <b>${plain(from2)}</b>.`;let names=ids.map(id=>own3.get(id)??other.get(id)??{id,name:"",guess:""}).map((l2,n4)=>x`${n4?", ":""}${name(l2)}`);return top>0?x`Where ${names} fires: at most ${figures(top)} strong.`:x`${names} doesn't fire here.`}function words2(of2,side2){let a2=of2.analysis,button2=t4=>x`<button
      type="button"
      class="sp-token sp-${t4.role}"
      data-word=${t4.index}
      aria-pressed=${of2.token===t4.index}
      @click=${()=>chooseWord(side2,t4.index)}
    >
      ${token(t4.text)}
    </button>`,prompt=a2.tokens.filter(t4=>t4.role==="prompt");return x`<div class="sp-said">
    <div class="sp-answer" role="group" aria-label="Answer, token by token">
      ${a2.outputs.length?a2.outputs.map(button2):x`<em class="sp-nothing">${silent(a2)}</em>`}
    </div>
    <div class="sp-asked" role="group" aria-label="Question, token by token">${prompt.map(button2)}</div>
    ${of2.page.note?x`<p class="sp-note sp-foreign">${of2.page.note}</p>`:E}
  </div>`}/**
 * @license
 * Copyright 2020 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var{I:t3}=Z,i3=o4=>o4===null||typeof o4!="object"&&typeof o4!="function";var f2=o4=>o4.strings===void 0,r2=()=>document.createComment(""),s2=(o4,i5,n4)=>{let e4=o4._$AA.parentNode,l2=i5===void 0?o4._$AB:i5._$AA;if(n4===void 0){let i6=e4.insertBefore(r2(),l2),d2=e4.insertBefore(r2(),l2);n4=new t3(i6,d2,o4,o4.options)}else{let t4=n4._$AB.nextSibling,i6=n4._$AM,d2=i6!==o4;if(d2){let t5;n4._$AQ?.(o4),n4._$AM=o4,n4._$AP!==void 0&&(t5=o4._$AU)!==i6._$AU&&n4._$AP(t5)}if(t4!==l2||d2){let o5=n4._$AA;for(;o5!==t4;){let t5=o5.nextSibling;e4.insertBefore(o5,l2),o5=t5}}}return n4},v2=(o4,t4,i5=o4)=>(o4._$AI(t4,i5),o4),u2={},m2=(o4,t4=u2)=>o4._$AH=t4,p2=o4=>o4._$AH,M2=o4=>{o4._$AR(),o4._$AA.remove()};/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var u3=(e4,s5,t4)=>{let r4=new Map;for(let l2=s5;l2<=t4;l2++)r4.set(e4[l2],l2);return r4},c2=e2(class extends i2{constructor(e4){if(super(e4),e4.type!==t2.CHILD)throw Error("repeat() can only be used in text expressions")}dt(e4,s5,t4){let r4;t4===void 0?t4=s5:s5!==void 0&&(r4=s5);let l2=[],o4=[],i5=0;for(let s6 of e4)l2[i5]=r4?r4(s6,i5):i5,o4[i5]=t4(s6,i5),i5++;return{values:o4,keys:l2}}render(e4,s5,t4){return this.dt(e4,s5,t4).values}update(s5,[t4,r4,c5]){let d2=p2(s5),{values:p3,keys:a2}=this.dt(t4,r4,c5);if(!Array.isArray(d2))return this.ut=a2,p3;let h4=this.ut??=[],v3=[],m4,y2,x2=0,j2=d2.length-1,k2=0,w2=p3.length-1;for(;x2<=j2&&k2<=w2;)if(d2[x2]===null)x2++;else if(d2[j2]===null)j2--;else if(h4[x2]===a2[k2])v3[k2]=v2(d2[x2],p3[k2]),x2++,k2++;else if(h4[j2]===a2[w2])v3[w2]=v2(d2[j2],p3[w2]),j2--,w2--;else if(h4[x2]===a2[w2])v3[w2]=v2(d2[x2],p3[w2]),s2(s5,v3[w2+1],d2[x2]),x2++,w2--;else if(h4[j2]===a2[k2])v3[k2]=v2(d2[j2],p3[k2]),s2(s5,d2[x2],d2[j2]),j2--,k2++;else if(m4===void 0&&(m4=u3(a2,k2,w2),y2=u3(h4,x2,j2)),m4.has(h4[x2]))if(m4.has(h4[j2])){let e4=y2.get(a2[k2]),t5=e4!==void 0?d2[e4]:null;if(t5===null){let e5=s2(s5,d2[x2]);v2(e5,p3[k2]),v3[k2]=e5}else v3[k2]=v2(t5,p3[k2]),s2(s5,d2[x2],t5),d2[e4]=null;k2++}else M2(d2[j2]),j2--;else M2(d2[x2]),x2++;for(;k2<=w2;){let e4=s2(s5,v3[w2+1]);v2(e4,p3[k2]),v3[k2++]=e4}for(;x2<=j2;){let e4=d2[x2++];e4!==null&&M2(e4)}return this.ut=a2,m2(s5,v3),T}});/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var s3=(i5,t4)=>{let e4=i5._$AN;if(e4===void 0)return!1;for(let i6 of e4)i6._$AO?.(t4,!1),s3(i6,t4);return!0},o3=i5=>{let t4,e4;do{if((t4=i5._$AM)===void 0)break;e4=t4._$AN,e4.delete(i5),i5=t4}while(e4?.size===0)},r3=i5=>{for(let t4;t4=i5._$AM;i5=t4){let e4=t4._$AN;if(e4===void 0)t4._$AN=e4=new Set;else if(e4.has(i5))break;e4.add(i5),c3(t4)}};function h2(i5){this._$AN!==void 0?(o3(this),this._$AM=i5,r3(this)):this._$AM=i5}function n2(i5,t4=!1,e4=0){let r4=this._$AH,h4=this._$AN;if(h4!==void 0&&h4.size!==0)if(t4)if(Array.isArray(r4))for(let i6=e4;i6<r4.length;i6++)s3(r4[i6],!1),o3(r4[i6]);else r4!=null&&(s3(r4,!1),o3(r4));else s3(this,i5)}var c3=i5=>{i5.type==t2.CHILD&&(i5._$AP??=n2,i5._$AQ??=h2)},f3=class extends i2{constructor(){super(...arguments),this._$AN=void 0}_$AT(i5,t4,e4){super._$AT(i5,t4,e4),r3(this),this.isConnected=i5._$AU}_$AO(i5,t4=!0){i5!==this.isConnected&&(this.isConnected=i5,i5?this.reconnected?.():this.disconnected?.()),t4&&(s3(this,i5),o3(this))}setValue(t4){if(f2(this._$Ct))this._$Ct._$AI(t4,this);else{let i5=[...this._$Ct._$AH];i5[this._$Ci]=t4,this._$Ct._$AI(i5,this,0)}}disconnected(){}reconnected(){}};/**
 * @license
 * Copyright 2021 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var s4=class{constructor(t4){this.G=t4}disconnect(){this.G=void 0}reconnect(t4){this.G=t4}deref(){return this.G}},i4=class{constructor(){this.Y=void 0,this.Z=void 0}get(){return this.Y}pause(){this.Y??=new Promise((t4=>this.Z=t4))}resume(){this.Z?.(),this.Y=this.Z=void 0}};/**
 * @license
 * Copyright 2017 Google LLC
 * SPDX-License-Identifier: BSD-3-Clause
 */var n3=t4=>!i3(t4)&&typeof t4.then=="function",h3=1073741823,c4=class extends f3{constructor(){super(...arguments),this._$Cwt=h3,this._$Cbt=[],this._$CK=new s4(this),this._$CX=new i4}render(...s5){return s5.find((t4=>!n3(t4)))??T}update(s5,i5){let e4=this._$Cbt,r4=e4.length;this._$Cbt=i5;let o4=this._$CK,c5=this._$CX;this.isConnected||this.disconnected();for(let t4=0;t4<i5.length&&!(t4>this._$Cwt);t4++){let s6=i5[t4];if(!n3(s6))return this._$Cwt=t4,s6;t4<r4&&s6===e4[t4]||(this._$Cwt=h3,r4=0,Promise.resolve(s6).then((async t5=>{for(;c5.get();)await c5.get();let i6=o4.deref();if(i6!==void 0){let e5=i6._$Cbt.indexOf(s6);e5>-1&&e5<i6._$Cwt&&(i6._$Cwt=e5,i6.setValue(t5))}})))}return T}disconnected(){this._$CK.disconnect(),this._$CX.pause()}reconnected(){this._$CK.reconnect(this),this._$CX.resume()}},m3=e2(c4);function card(s5,l2,best,lit2){let off=s5.picked.includes(l2.id),brushed=lit2.latent===l2.id||lit2.lit?.has(l2.id),hover=()=>set({hover:{latent:l2.id}});return x`<article
    class="sp-card ${s5.latent===l2.id?"sp-chosen":""} ${brushed?"sp-lit":""} ${off?"sp-off":""}"
    data-id=${l2.id}
    @pointerenter=${hover}
    @pointerleave=${()=>set({hover:null})}
    @focusin=${e4=>e4.target.matches(":focus-visible")&&hover()}
    @focusout=${()=>set({hover:null})}
  >
    <canvas
      class="sp-here"
      title="Where it fires on this picture"
      @click=${()=>chooseLatent(l2.id)}
      ${draws(`${s5.page.key}/${l2.id}`,canvas=>here4(canvas,s5,l2.id))}
    ></canvas>
    <div class="sp-naming">
      <button
        type="button"
        class="sp-name"
        data-latent=${l2.id}
        aria-pressed=${s5.latent===l2.id}
        @click=${()=>chooseLatent(l2.id)}
      >
        ${name(l2,{counted:!0})}
      </button>
      <p class="sp-says">${says(s5,l2,best)}</p>
    </div>
    <div class="sp-does">
      <button
        type="button"
        class="sp-plain sp-read"
        data-read=${l2.id}
        aria-label="All about latent ${l2.id}"
        title="All about it"
        @click=${()=>openLatent(l2.id)}
      >
        ⋯
      </button>
      ${s5.kase?E:x`<button
            type="button"
            class="sp-pick"
            data-pick=${l2.id}
            aria-pressed=${off}
            @click=${()=>toggle([l2.id])}
          >
            ${off?"✓ off":"switch off"}
          </button>`}
    </div>
    <div class="sp-refs">${m3(references(l2.id),waiting4)}</div>
  </article>`}var said2=new Map;function references(id){let promise=detail(id);return said2.has(promise)||(said2.size>600&&said2.clear(),said2.set(promise,promise.then(({references:rows3,error})=>error?x`<p class="sp-note">${error}</p>`:rows3.length?refs(id,rows3.filter(row3=>row3.interval!=="counter-example").slice(0,4)):x`<p class="sp-note">no reference pictures: the SAE has no index</p>`))),said2.get(promise)}var waiting4=[1,2,3,4].map(()=>x`<i class="sp-ghost"></i>`);function says(s5,l2,best){let kind={token:"score",patch:"strength",region:"inside"}[s5.scope]??"mean",words3={score:"score",strength:"activation",mean:"plain",inside:"region"},value=kind==="inside"?l2.inside:l2.value;return x`<span class="sp-meter" style="--v:${(l2.value/best).toFixed(3)}"></span
    ><span title=${meaning(words3[kind])}>${kind} ${figures(value)}</span> ${kind==="inside"?x`<span title=${meaning("region")}>outside ${figures(l2.outside)}</span> `:E}${l2.sparsity===null||kind==="inside"&&!everywhere(l2)?E:x`<span title=${meaning("sparsity")} class=${everywhere(l2)?"sp-dense":""}
          >${everywhere(l2)?"everywhere: ":""}in ${percent(l2.sparsity)} of pictures</span
        >`}`}function here4(canvas,s5,id){let values=firing(s5.analysis,id),crop=s5.analysis.sizes.length>1?around(shot(s5),values,.4):null;return paint(canvas,shot(s5),values,{width:96,crop,smooth:!0})}var range2=(s5,key2,text,most,step,say,help)=>x`<label title=${meaning(help)}
    ><span>${text}</span>
    <input
      type="range"
      data-set=${key2}
      min="0"
      max=${most}
      step=${step}
      .value=${String(s5.filter[key2])}
      @input=${e4=>set({filter:{...s5.filter,[key2]:+e4.target.value}})}
    /><output>${say(s5.filter[key2])}</output></label
  >`;function filters(s5){let on=s5.filter.sparsest>0||s5.filter.densest<1||s5.filter.mean>0,among=e4=>set({filter:{...s5.filter,everywhere:e4.target.checked?"among":"apart"}});return x`<details
    class="sp-pop"
    data-filters
    @keydown=${e4=>e4.key==="Escape"&&(e4.currentTarget.open=!1)}
  >
    <summary class="sp-quietly">Filter${on?" ·":""}</summary>
    <div class="sp-filters">
      <label class="sp-switch" title=${meaning("everywhere")}
        ><input
          type="checkbox"
          data-set="everywhere"
          .checked=${s5.filter.everywhere==="among"}
          @change=${among}
        />
        those that fire everywhere among the others</label
      >
      ${range2(s5,"densest","in at most",1,.01,v3=>`${percent(v3)} of pictures`,"sparsity")}
      ${range2(s5,"sparsest","in at least",.2,.002,v3=>`${percent(v3)} of pictures`,"sparsity")}
      ${range2(s5,"mean","mean strength over",1,.01,v3=>v3.toFixed(2),"mean")}
      <p class="sp-note">For cards, rankings, patches and heatmap alike.</p>
    </div>
  </details>`}var FIRST=12,ON_A_PHONE=8;function concepts(s5){let{cards,apart,hidden}=ranking(s5),lit2=brush(s5),best=cards.length?cards[0].value:1;return x`<div class="sp-bar sp-bar-concepts">
      ${scopes(s5)} ${apart.length?scenery(s5,apart,lit2):x`<span class="sp-gap"></span>`}
      ${hidden?x`<small class="sp-quiet">${hidden} filtered out</small>`:E}
      <button
        type="button"
        class="sp-quietly"
        data-compare
        aria-pressed=${s5.compare}
        title="Attention-weighted and plain ranking, side by side"
        @click=${()=>set({compare:!s5.compare})}
      >
        Both rankings
      </button>
      ${weighing(s5)} ${filters(s5)} ${png()}
    </div>
    ${s5.compare?rankings(s5):E}
    <div class="sp-cards ${lit2.lit?"sp-brushed":""} ${s5.more===FIRST?"sp-first":""}">
      ${c2(cards.slice(0,s5.more),l2=>l2.id,l2=>card(s5,l2,best,lit2))}
      ${cards.length?E:empty2(s5,apart)}
    </div>
    ${cards.length>s5.more||s5.more===FIRST&&cards.length>ON_A_PHONE?x`<button
          type="button"
          class="sp-quietly sp-more ${cards.length>s5.more?"":"sp-narrow"}"
          @click=${()=>set({more:s5.more+12})}
        >
          Show more of ${cards.length}
        </button>`:E}`}function scopes(s5){let a2=s5.analysis,t4=a2.byIndex.get(s5.token),segment=(scope,text,act,title)=>x`<button
      type="button"
      data-scope=${scope}
      aria-pressed=${s5.scope===scope}
      title=${title}
      @click=${act}
    >
      ${text}
    </button>`,at3=s5.patch===null?null:tileOf(a2,s5.patch);return x`<div class="sp-segments" role="group" aria-label="Concepts of what">
    ${segment("token",x`behind <b>${t4?token(t4.text):"the token"}</b>`,()=>set({scope:"token",more:12}),"Weighted by the chosen token's attention")}
    ${segment("picture","whole picture",()=>set({scope:"picture",more:12}),"Plain mean over all patches: no token has a say")}
    ${at3?segment("patch",x`patch ${at3.row+1}, ${at3.col+1}`,()=>s5.scope==="patch"?choosePatch(null):set({scope:"patch"}),"What fires in the chosen patch"):E}
    ${s5.place?segment("region",placeText(a2,s5.place.region,s5.place.image),()=>set({scope:"region",more:12}),"What fires in this region and not elsewhere in the picture"):E}
  </div>`}var scenery=(s5,apart,lit2)=>x`<div class="sp-scenery" role="group" aria-label="Latents that fire everywhere">
    <small>${term("everywhere",`${apart.length} everywhere`)}</small>
    ${apart.slice(0,12).map(l2=>x`<button
            type="button"
            class="sp-chip ${lit2.lit?.has(l2.id)?"sp-lit":""}"
            data-latent=${l2.id}
            aria-pressed=${s5.latent===l2.id}
            @click=${()=>chooseLatent(l2.id)}
            @pointerenter=${()=>set({hover:{latent:l2.id}})}
            @pointerleave=${()=>set({hover:null})}
          >
            ${brief(l2)}<small>${figures(l2.value)}</small>
          </button>`)}
    <button
      type="button"
      class="sp-link"
      data-among
      @click=${()=>set({filter:{...s5.filter,everywhere:"among"}})}
    >
      show as cards
    </button>
  </div>`;function rankings(s5){let column3=(title,scope)=>{let rows3=ranking(s5,scope).cards.slice(0,12);return x`<div>
      <p class="sp-kicker">${title}</p>
      <ol>
        ${rows3.map(l2=>x`<li class=${s5.hover?.latent===l2.id||s5.latent===l2.id?"sp-lit":""}>
              <button
                type="button"
                class="sp-link"
                data-latent=${l2.id}
                aria-pressed=${s5.latent===l2.id}
                @click=${()=>chooseLatent(l2.id)}
                @pointerenter=${()=>set({hover:{latent:l2.id}})}
                @pointerleave=${()=>set({hover:null})}
              >
                ${name(l2)}
              </button>
              <span class="sp-meter" style="--v:${(l2.value/rows3[0].value).toFixed(3)}"></span>
              <span class="sp-num">${figures(l2.value)}</span>
            </li>`)}
      </ol>
    </div>`},t4=s5.analysis.byIndex.get(s5.token);return x`<div class="sp-rankings">
    ${column3(x`weighted by what <b>${t4?token(t4.text):""}</b> attends to (${term("score")})`,"token")}
    ${column3(x`${term("plain","plain mean")} over the picture`,"picture")}
  </div>`}function empty2(s5,apart){if(!scored(s5).length)return x`<p class="sp-note sp-empty">
      ${s5.analysis.active.length?"This token comes before the picture and can't see it: choose another.":"No latent is active on this picture."}
    </p>`;let wide={...s5.filter,sparsest:0,densest:1,mean:0};return x`<p class="sp-note sp-empty">
    ${apart.length?`Nothing else: ${times(apart.length,"latent")} that fire everywhere, above.`:"No latent passes the filters."}
    ${apart.length?E:x`<button type="button" class="sp-link" @click=${()=>set({filter:wide})}>
          Clear the filters
        </button>`}
  </p>`}var CELL=20,ROW2=22,HEAD=132,LEFT3=104,TURN=Math.PI/3,FONT="12px ui-sans-serif, system-ui, sans-serif",whole2=count3=>LEFT3+CELL*count3+70,height=s5=>HEAD+ROW2*rowsOf(s5).length+8;function under(s5,shown3,x2,y2,scrolled){let along=y2<HEAD-14?(HEAD-14-y2)/Math.tan(TURN):0,row3=Math.floor((y2-HEAD)/ROW2),column3=x2-along<LEFT3?-1:Math.floor((x2-along+scrolled-LEFT3)/CELL),inside=(n4,count3)=>n4>=0&&n4<count3?n4:-1;return{row:rowsOf(s5)[row3]??-1,column:inside(column3,shown3.length)}}function sketch(s5,canvas,width,scrolled,ratio2){let shown3=columns(s5),h4=height(s5),size=[Math.round(width*ratio2),Math.round(h4*ratio2)];(canvas.width!==size[0]||canvas.height!==size[1])&&([canvas.width,canvas.height]=size,canvas.style.width=`${width}px`,canvas.style.height=`${h4}px`);let pen=canvas.getContext("2d");pen.setTransform(ratio2,0,0,ratio2,0,0),pen.clearRect(0,0,width,h4);let from2=Math.max(0,Math.floor(scrolled/CELL)-6),to=Math.min(shown3.length,Math.ceil((scrolled+width-LEFT3)/CELL)+1),page3=canvas.closest(".sp-page")||document.querySelector(".sp-page"),style=getComputedStyle(page3),ink=style.getPropertyValue("--sp-ink").trim()||"#222",accent=style.getPropertyValue("--sp-accent").trim()||"#067",view={s:s5,pen,shown:shown3,from:from2,to,ink,accent,width,left:c5=>LEFT3+CELL*c5-scrolled};rows2(view),pen.save(),pen.beginPath(),pen.rect(LEFT3-2,0,width,h4),pen.clip(),cells(view),labels(view),s5.order==="clusters"&&brackets(view),outline3(view),pen.restore()}function rows2({s:s5,pen,ink,accent}){let a2=s5.analysis,lit2=brush(s5),latent=lit2.latent??s5.latent,weights=latent===null?new Map:tokensOf(a2,latent);pen.textAlign="right",rowsOf(s5).forEach((of2,r4)=>{let index=a2.heatmap.tokens[of2],t4=a2.byIndex.get(index),on=s5.token===index||lit2.token===index;pen.fillStyle=ink,pen.globalAlpha=on?1:t4.role==="output"?.92:.62,pen.font=`${on?"700 ":""}${FONT}`,pen.fillText(token(t4.text).slice(0,14),LEFT3-10,HEAD+ROW2*r4+15);let weight=weights.get(index)||0;weight>.1&&(pen.globalAlpha=weight,pen.fillStyle=accent,pen.fillRect(LEFT3-6,HEAD+ROW2*r4+2,3,ROW2-5))}),pen.globalAlpha=1}function cells({s:s5,pen,shown:shown3,from:from2,to,left}){let h4=s5.analysis.heatmap,n4=h4.latents.length,top=1;s5.raw&&(top=h4.raw.reduce((most,v3)=>Math.max(most,v3),1e-9));let values=s5.raw?h4.raw:h4.values;rowsOf(s5).forEach((of2,r4)=>{for(let c5=from2;c5<to;c5++)pen.fillStyle=level(values[of2*n4+shown3[c5]]/top),pen.fillRect(left(c5),HEAD+ROW2*r4,CELL-1,ROW2-1)})}function labels({s:s5,pen,shown:shown3,from:from2,to,ink,accent,left}){let a2=s5.analysis,{latent,patch,lit:lit2}=brush(s5),chosen4=patch??s5.patch;pen.textAlign="left";for(let c5=from2;c5<to;c5++){let l2=latentOf(a2,a2.heatmap.latents[shown3[c5]]),picked=s5.picked.includes(l2.id),strong=l2.id===s5.latent||l2.id===latent||lit2?.has(l2.id),here5=chosen4!==null&&firesIn(a2,l2.id,chosen4);pen.save(),pen.translate(left(c5)+CELL/2+3,HEAD-14),pen.rotate(-TURN),pen.fillStyle=strong||here5?accent:ink,pen.globalAlpha=strong||here5||picked?1:everywhere(l2)?.55:.8,pen.font=`${l2.name?"":"italic "}${strong?"700 ":""}${FONT}`,pen.fillText(`${picked?"✓ ":""}${short(plain(l2))}${everywhere(l2)?" ∀":""}`,0,0),pen.restore()}}var fired=new WeakMap;function firesIn(a2,latent,patch){fired.has(a2)||fired.set(a2,new Map);let of2=fired.get(a2);return of2.has(latent)||of2.set(latent,firing(a2,latent)),of2.get(latent)[patch]>0}function brackets({s:s5,pen,shown:shown3,ink,left,width}){let h4=s5.analysis.heatmap,cluster=new Map(h4.clusters.flatMap(k2=>k2.latents.map(id=>[id,k2.id])));pen.strokeStyle=ink,pen.lineWidth=1.5,pen.globalAlpha=.7;for(let c5=0;c5<shown3.length;){let own3=cluster.get(h4.latents[shown3[c5]]),end=c5;for(;end<shown3.length&&cluster.get(h4.latents[shown3[end]])===own3;)end++;let[a2,b2]=[left(c5)+1,left(end)-3];b2>0&&a2<width&&(pen.beginPath(),pen.moveTo(a2,HEAD-4),pen.lineTo(a2,HEAD-8),pen.lineTo(b2,HEAD-8),pen.lineTo(b2,HEAD-4),pen.stroke()),c5=end}pen.globalAlpha=1}function outline3({s:s5,pen,shown:shown3,left}){let h4=s5.analysis.heatmap,{latent}=brush(s5);for(let[id,widths]of[[latent,[2,1]],[s5.latent,[3,1]]]){let column3=id===null?-1:shown3.findIndex(c5=>h4.latents[c5]===id);if(!(column3<0))for(let[style,line]of[["#fff",widths[0]],["#111",widths[1]]])pen.strokeStyle=style,pen.lineWidth=line,pen.strokeRect(left(column3)-1,HEAD-1,CELL+1,ROW2*rowsOf(s5).length+1)}}var short=text=>text.length<=15?text:`${text.slice(0,text.endsWith("?")?13:14)}…${text.endsWith("?")?"?":""}`;var ORDERS=[["clusters","by cluster"],["score","by score"],["token","by chosen token"]],at2=null,over=null;function heatmap(s5){let h4=s5.analysis.heatmap,shown3=columns(s5);if(!h4.latents.length)return x`<p class="sp-note sp-empty">No latent is active on this picture.</p>`;let key2=JSON.stringify([s5.page.key,s5.token,s5.latent,s5.patch,s5.hover,s5.picked,s5.order,s5.raw,s5.asked,s5.filter,document.body.classList.contains("dark")]);return x`<div class="sp-bar">
      <label class="sp-field"
        >columns
        <select data-order @change=${e4=>set({order:e4.target.value})}>
          ${ORDERS.map(([order,text])=>x`<option value=${order} ?selected=${s5.order===order}>${text}</option>`)}
        </select></label
      >
      <label class="sp-switch" title=${meaning("heatmap")}
        ><input type="checkbox" data-raw .checked=${s5.raw} @change=${e4=>set({raw:e4.target.checked})} />
        raw values</label
      >
      <label class="sp-switch" title="Rows for the question's tokens beside the answer's"
        ><input
          type="checkbox"
          data-asked
          .checked=${s5.asked}
          @change=${e4=>set({asked:e4.target.checked})}
        />
        question’s tokens</label
      >
      <span class="sp-scale"
        ><span>${s5.raw?"0":"column’s least"}</span><i></i
        ><span>${s5.raw?figures(h4.raw.reduce((most,v3)=>Math.max(most,v3),0)):"most"}</span></span
      >
      <span class="sp-gap"></span> ${filters(s5)} ${png()}
    </div>
    <div
      class="sp-scroll"
      tabindex="0"
      role="group"
      aria-label="Heatmap of tokens by latents. Arrow keys move, Enter puts the latent in the test."
      @scroll=${e4=>again(e4.currentTarget)}
      @keydown=${keys}
    >
      <div class="sp-wide" style="width:${whole2(shown3.length)}px;height:${height(s5)}px">
        <canvas
          role="img"
          aria-label="${rowsOf(s5).length} tokens by ${shown3.length} latents in ${h4.clusters.length} clusters"
          ${draws(key2,canvas=>again(canvas.closest(".sp-scroll")))}
          @pointermove=${point3}
          @pointerleave=${()=>{over=null,set({hover:null})}}
          @click=${click2}
        ></canvas>
      </div>
    </div>
    <p class="sp-note sp-readout" role="status">${readout(s5,shown3)}</p>
    <div class="sp-clusters" role="group" aria-label="Clusters, each tested as one">
      ${seen2(s5,shown3).map(k2=>chip(s5,k2))}
    </div>
    <p class="sp-note">
      Attention-weighted ${term("activation","strength")} of each latent for each token. Columns that rise
      and fall together over all tokens, the question’s too, stand together (${term("cluster")}). ∀ fires
      everywhere; in italics: a guess.
    </p>`}function seen2(s5,shown3){let h4=s5.analysis.heatmap,latents=new Set(shown3.map(c5=>h4.latents[c5]));return h4.clusters.filter(k2=>k2.latents.some(id=>latents.has(id)))}function chip(s5,k2){let on=k2.latents.every(id=>s5.picked.includes(id)),names=[...new Set(k2.latents.map(id=>plain(latentOf(s5.analysis,id))))];return x`<button
    type="button"
    class="sp-chip"
    data-cluster=${k2.id}
    aria-pressed=${on}
    ?disabled=${!!s5.kase}
    title="Test these ${k2.latents.length} latents as one"
    @click=${()=>toggle(k2.latents)}
  >
    <b>${k2.id+1}</b> ${names.slice(0,3).join(", ")}${names.length>3?" …":""}
    <small>${k2.latents.length}</small>
  </button>`}function readout(s5,shown3){let h4=s5.analysis.heatmap,column3=over?over.column:s5.latent===null?-1:shown3.findIndex(c5=>h4.latents[c5]===s5.latent),row3=over&&over.row>=0?over.row:h4.tokens.indexOf(s5.token);if(column3<0||shown3[column3]===void 0)return"Point at a cell: its latent, its token, its value.";let l2=latentOf(s5.analysis,h4.latents[shown3[column3]]);if(row3<0)return x`<b>${plain(l2)}</b> #${l2.id}`;let i5=row3*h4.latents.length+shown3[column3],t4=s5.analysis.byIndex.get(h4.tokens[row3]);return x`<b>${plain(l2)}</b> #${l2.id} at <b>${token(t4.text)}</b>: score ${figures(h4.raw[i5],3)},
    ${h4.values[i5].toFixed(2)} on its column's scale of 0 to 1`}var waiting5=0;function again(scroll){!scroll||waiting5||(waiting5=requestAnimationFrame(()=>{waiting5=0;let canvas=scroll.querySelector("canvas");if(!canvas||!state.analysis)return;let all=whole2(columns(state).length),wide=Math.max(1,Math.min(all,scroll.clientWidth||all));sketch(state,canvas,wide,scroll.scrollLeft,window.devicePixelRatio||1),canvas.whole=()=>entire(all)}))}function entire(all){let paper=document.createElement("canvas");return sketch(state,paper,all,0,Math.min(2,16e3/all)),paper}addEventListener("resize",()=>again(document.querySelector("#sp-heatmap .sp-scroll")));function target(e4){let r4=e4.currentTarget.getBoundingClientRect(),scroll=e4.currentTarget.closest(".sp-scroll"),shown3=columns(state);return{shown:shown3,...under(state,shown3,e4.clientX-r4.left,e4.clientY-r4.top,scroll.scrollLeft)}}function point3(e4){let{shown:shown3,row:row3,column:column3}=target(e4);if(over&&over.row===row3&&over.column===column3)return;over={row:row3,column:column3};let h4=state.analysis.heatmap;column3>=0?set({hover:{latent:h4.latents[shown3[column3]]}}):set({hover:row3>=0?{token:h4.tokens[row3]}:null})}function click2(e4){let{shown:shown3,row:row3,column:column3}=target(e4),h4=state.analysis.heatmap;if(at2=column3,row3>=0&&set({token:h4.tokens[row3]}),column3>=0){let id=h4.latents[shown3[column3]];state.latent!==id&&chooseLatent(id)}else row3>=0&&set({latent:null})}function keys(e4){let h4=state.analysis.heatmap,shown3=columns(state),clamp=(v3,most)=>Math.min(Math.max(v3,0),most),across={ArrowRight:1,ArrowLeft:-1}[e4.key],down2={ArrowDown:1,ArrowUp:-1}[e4.key];if(across){at2=at2===null||at2<0?0:clamp(at2+across,shown3.length-1);let[a2,seen3]=[CELL*at2,e4.currentTarget.clientWidth-LEFT3-CELL];a2<e4.currentTarget.scrollLeft?e4.currentTarget.scrollLeft=a2:a2>e4.currentTarget.scrollLeft+seen3&&(e4.currentTarget.scrollLeft=a2-seen3),set({latent:h4.latents[shown3[at2]],hover:null})}else if(down2){let rows3=rowsOf(state);set({token:h4.tokens[rows3[clamp(rows3.indexOf(h4.tokens.indexOf(state.token))+down2,rows3.length-1)]]})}else if(e4.key==="Enter"&&state.latent!==null&&!state.kase)toggle([state.latent]);else return;e4.preventDefault()}var LEGIBLE=.02;function influenceTab(s5){let places=s5.layers?.layers;if(!places)return x`${going(s5,"layers")} ${trouble(s5,"layers")}`;if(places.length<2)return ALONE;let[source,target2]=s5.path??usual(s5,places),measure3=()=>{set({pair:null}),send("influence",{source,target:target2},"Reading both layers")};return x`<div class="sp-bar sp-flow">
      <h2>From ${menu(s5,"source",source,target2)} to ${menu(s5,"target",target2,source)}</h2>
      <button type="button" class="sp-button" data-measure ?disabled=${!!s5.jobs.influence} @click=${measure3}>
        Measure
      </button>
    </div>
    ${going(s5,"influence")} ${trouble(s5,"influence",measure3)}
    ${s5.influence?matrix2(s5):s5.jobs.influence?x`<div class="sp-ghost sp-ghost-tall"></div>`:HINT}`}var HINT=x`<p class="sp-note">
  Switches the concepts of the earlier layer off, one after another, and measures what becomes of those of the
  later one, beside other latents that fire as much: a step of the way from patch to word.
</p>`,ALONE=x`<p class="sp-note">
  One SAE of this model is offered; a second one, of another layer, is needed:
  <code>scratchpad serve --offer</code>.
</p>`;function usual(s5,places){let shown3=places.findIndex(l2=>l2.sae===s5.analysis.sae.name),later=Math.max(1,shown3);return[later-1,later]}function menu(s5,side2,chosen4,other){let places=s5.layers.layers,fits=n4=>side2==="source"?n4<places.length-1:n4>0,choose4=n4=>{let path=side2==="source"?[n4,Math.max(other,n4+1)]:[Math.min(other,n4-1),n4];set({path,influence:null,pair:null})};return x`<select
    aria-label=${side2==="source"?"Layer whose concepts are ablated":"Layer whose concepts are watched"}
    data-flow=${side2}
    ?disabled=${!!s5.jobs.influence}
    .value=${String(chosen4)}
    @change=${e4=>choose4(+e4.target.value)}
  >
    ${places.map((l2,n4)=>fits(n4)?x`<option value=${n4} ?selected=${n4===chosen4}>${point(l2)}</option>`:E)}
  </select>`}function matrix2(s5){let{influence:m4,sources,targets}=s5.influence;return x`<p class="sp-note" data-found>${found(m4)}</p>
    <div class="sp-flowbox" role="region" aria-label="Effects">
      <table @keydown=${arrows3}>
        <thead>
          <tr>
            <th scope="col"><small>without ↓</small><small>what becomes of →</small></th>
            ${m4.targets.map((t4,n4)=>x`<th scope="col">${concept2(s5,m4.onto,t4.latent,targets[n4])}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${m4.sources.map((row3,y2)=>x`<tr>
                <th scope="row">${concept2(s5,m4.sae,row3.latent,sources[y2])}</th>
                ${m4.targets.map((_2,x2)=>x`<td>${cell2(s5,m4,y2,x2)}</td>`)}
              </tr>`)}
        </tbody>
      </table>
    </div>
    <p class="sp-note" data-pair aria-live="polite">${s5.pair?says2(m4,...s5.pair):KEY3}</p>`}var KEY3=x`Rows and columns: the concepts of best score at either layer, at most ten. Each cell: how
  much of its ${term("activation","activation")} over the picture the later concept loses (−) or gains (+)
  without the earlier one. <b>Ringed</b>: no other latent that fires as much does as much to any concept; with
  a thin ring: none does to that one. Choose a cell to read it; arrow keys go on.`,STEPS3={ArrowLeft:[0,-1],ArrowRight:[0,1],ArrowUp:[-1,0],ArrowDown:[1,0]};function arrows3(e4){let[step,at3]=[STEPS3[e4.key],e4.target.dataset.cell];if(!step||!at3)return;let[y2,x2]=at3.split(",").map(Number),next=e4.currentTarget.querySelector(`[data-cell="${y2+step[0]},${x2+step[1]}"]`);next&&(e4.preventDefault(),next.focus())}function found(m4){let rows3=new Set,alone=0;return m4.as_much.forEach((row3,y2)=>row3.forEach((count3,x2)=>{m4.sources[y2].others.length&&(count3||alone++,m4.as_much_anywhere[y2][x2]||rows3.add(y2))})),x`${rows3.size} of ${times(m4.sources.length,"concept")} of ${point(m4.sae)}
  ${rows3.size===1?"does":"do"} more to one of ${point(m4.onto)} than any other latent that fires as much
  does to any; chance alone would bring ${m4.expected_sources.toFixed(1)}. ${times(alone,"pair")} that no
  other equals, by chance ${m4.expected.toFixed(1)}.`}function concept2(s5,sae2,latent,src){let here5=s5.analysis.sae.identity===sae2.identity,label2=x`<img src=${src} alt="" /><span>${plain({guess:"",...latent})}</span>`;return here5?x`<button
        type="button"
        class="sp-flowed"
        title="Where it fires"
        @click=${()=>chooseLatent(latent.id)}
      >
        ${label2}
      </button>`:x`<span class="sp-flowed">${label2}</span>`}function cell2(s5,m4,y2,x2){let effect=m4.effects[y2][x2],alone=m4.sources[y2].others.length>0&&!m4.as_much_anywhere[y2][x2],single=m4.sources[y2].others.length>0&&!m4.as_much[y2][x2],chosen4=s5.pair&&s5.pair[0]===y2&&s5.pair[1]===x2,[row3,column3]=s5.pair??[0,0];return x`<button
    type="button"
    class="sp-effect ${alone?"sp-ringed":single?"sp-single":""}"
    tabindex=${row3===y2&&column3===x2?0:-1}
    aria-pressed=${chosen4?"true":"false"}
    aria-label=${`${called(m4.targets[x2])} without ${called(m4.sources[y2])}: ${share2(effect)}`}
    style=${`--share:${Math.min(1,Math.abs(effect)).toFixed(2)}`}
    data-sign=${effect<0?"less":"more"}
    data-cell=${`${y2},${x2}`}
    @click=${()=>set({pair:chosen4?null:[y2,x2]})}
  >
    ${Math.abs(effect)<LEGIBLE?"·":share2(effect)}
  </button>`}var called=row3=>plain({guess:"",...row3.latent}),share2=effect=>`${effect<0?"−":"+"}${percent(Math.abs(effect))}`;function says2(m4,y2,x2){let[source,target2,n4]=[m4.sources[y2],m4.targets[x2],m4.sources[y2].others.length],of2=(latent,sae2)=>x`<b>${plain({guess:"",...latent})}</b> (#${latent.id}, ${point(sae2)})`,effect=m4.effects[y2][x2];return x`Without ${of2(source.latent,m4.sae)}, ${of2(target2.latent,m4.onto)}
  ${effect<0?"loses":"gains"} ${percent(Math.abs(effect))} of its activation. Of
  ${times(n4,"other latent")} that fire as much, ${m4.as_much[y2][x2]} do as much to it and
  ${m4.as_much_anywhere[y2][x2]} to any of these ${m4.targets.length}. ${onAnswer(m4,source.effect)}`}function onAnswer(m4,effect){let by2=nats(Math.abs(effect));return by2==="0.00"?`The answer “${m4.answer}” stays as likely without it.`:`The answer “${m4.answer}” becomes ${effect<0?"less":"more"} likely by ${by2} nats without it.`}function openLayers(s5){!s5.layers&&!s5.jobs.layers&&!s5.errors.layers&&queueMicrotask(ask4)}var ask4=()=>send("layers",{},"Reading every layer");function layers(s5){let value=s5.layers;return x`${going(s5,"layers")} ${trouble(s5,"layers",ask4)}
  ${value?x`<div class="sp-layers" style="--n:${value.layers.length}">
          ${value.layers.map(l2=>column2(s5,l2,value.blocks))}
        </div>
        <p class="sp-note">
          The concepts that the answer's attention weighs most at each layer; those that fire
          ${term("everywhere","everywhere")} are left out. Choose a picture to read the answer at its layer.
        </p>`:s5.jobs.layers?x`<div class="sp-layers" style="--n:3">
          ${[1,2,3].map(()=>x`<div class="sp-ghost sp-ghost-tall"></div>`)}
        </div>`:E}`}var titled=l2=>point(l2).replace(/^./,c5=>c5.toUpperCase());function column2(s5,l2,blocks){let offer=s5.boot.offers.find(o4=>o4.sae===l2.sae),here5=s5.analysis.sae.name===l2.sae;return x`<section class="sp-layer ${here5?"sp-chosen":""}" aria-label=${titled(l2)}>
    <h2>${titled(l2)} ${l2.place?E:x`<small>of 0–${blocks-1}</small>`}</h2>
    <p class="sp-note">
      ${l2.sae}${l2.explained===null?E:x`, ${term("explained",`explains ${percent(l2.explained)} here`)}`}
    </p>
    ${l2.concepts.map(({latent:r4,src})=>x`<button
          type="button"
          class="sp-layered"
          title=${here5?"Where it fires":`Read the answer at ${point(l2)}`}
          ?disabled=${!here5&&!offer}
          @click=${()=>here5?chooseLatent(r4.id):choose(offer.id,r4.id)}
        >
          <img src=${src} alt="" /><span
            >${name({guess:"",...r4})}<small>score ${figures(r4.score)}</small></span
          >
        </button>`)}
    ${l2.concepts.length?E:x`<p class="sp-note">nothing but what fires everywhere</p>`}
    <p class="sp-trust">${sentence(trustOf(l2.trust),"Maps here")}</p>
  </section>`}var form={by:"answer",dataset:"single-word",cells:"7x7",methods:null},known=null,of=null;function openNeedle(s5){let key2=`${s5.draft.choice}/${form.by}`;of!==key2&&(of=key2,queueMicrotask(fill))}async function fill(){if(known=await call("measured",[state.draft.choice,form.by]),known.methods){let usual2=[known.usual,"cosine","gradient-input","random"];form.methods=known.methods.filter(method=>usual2.includes(method))}set({})}receives("needle",value=>{if(underway("needle",value))return;let trusts={...state.trusts};for(let[method,trust2]of Object.entries(value.trust||{}))(value.by==="page"?method==="cosine":method!=="cosine")&&(trusts[method]=trustOf(trust2));set({needle:value,trusts}),fill()});var measure2=()=>send("needle",{...form},"Measuring");function needle(s5){return x`<h2>Needle <small>which map finds what it should?</small></h2>
    <p class="sp-note">
      A grid of cells, one of them the ${term("needle")}, planted in every cell in turn. A map is right when
      its brightest cell is the needle's.
    </p>
    ${known&&known.methods?choices(s5):E}
    ${known&&known.error?x`<p class="sp-error" role="alert">${known.error}</p>`:E}
    ${going(s5,"needle")} ${trouble(s5,"needle",measure2)} ${s5.needle?found2(s5.needle):E}
    ${known&&known.before?before(known):E}`}function choices(s5){let pick2=key2=>e4=>{form[key2]=e4.target.value,key2==="by"&&openNeedle(state),set({})},method=name2=>e4=>{form.methods=known.methods.filter(m4=>m4===name2?e4.target.checked:form.methods.includes(m4))},option=(value,text,chosen4)=>x`<option value=${value} ?selected=${chosen4}>${text}</option>`;return x`<div class="sp-bar">
      <label class="sp-field"
        >model
        <select data-of="by" @change=${pick2("by")}>
          ${known.models.map((name2,i5)=>option(i5?"page":"answer",i5?`${name2} (retrieval)`:name2,form.by===(i5?"page":"answer")))}
        </select></label
      >
      <label class="sp-field"
        >data set
        <select data-of="dataset" @change=${pick2("dataset")}>
          ${known.datasets.map(name2=>option(name2,name2,form.dataset===name2))}
        </select></label
      >
      <label class="sp-field"
        >cells <input type="text" size="5" data-of="cells" .value=${form.cells} @input=${pick2("cells")}
      /></label>
      <button type="button" class="sp-go" data-measure ?disabled=${!!s5.jobs.needle} @click=${measure2}>
        Measure
      </button>
      <span class="sp-gap"></span>${png()}
    </div>
    <fieldset class="sp-methods">
      <legend class="sp-kicker">maps</legend>
      ${known.methods.map(name2=>x`<label class="sp-switch"
            ><input
              type="checkbox"
              value=${name2}
              .checked=${form.methods.includes(name2)}
              @change=${method(name2)}
            />
            ${name2}</label
          >`)}
    </fieldset>`}function found2(r4){let best=r4.rows[0],side2=Math.max(8,Math.floor(126/Math.max(...r4.cells)));return x`<div class="sp-found" aria-live="polite">
    <p class="sp-verdict">
      <b>${best.method}</b> finds it most often: in ${term("accuracy",percent(best.accuracy))} of
      ${r4.cells[0]*r4.cells[1]} pictures (${r4.dataset}; ${term("chance",`${percent(r4.chance)} by chance`)}).
    </p>
    <div class="sp-grids">
      <figure>
        <img src=${r4.src} alt="" width="126" />
        <figcaption>one of the pictures</figcaption>
      </figure>
      ${r4.rows.map(row3=>x`<figure>
            <canvas
              role="img"
              aria-label="Where ${row3.method} finds the needle: ${percent(row3.accuracy)}"
              ${draws(row3,canvas=>grid(canvas,row3.grid,side2))}
            ></canvas>
            <figcaption>
              <b>${row3.method}</b> ${percent(row3.accuracy)}
              ${row3.biases.length?x`<br />drawn towards ${row3.biases.join(", ")}`:E}
            </figcaption>
          </figure>`)}
    </div>
    <p class="sp-note">
      <span class="sp-scale"><span>missed</span><i></i><span>found</span></span> Each cell: whether the needle
      there is found.
    </p>
  </div>`}function grid(canvas,rows3,side2){[canvas.width,canvas.height]=[side2*rows3[0].length,side2*rows3.length];let pen=canvas.getContext("2d");rows3.forEach((row3,y2)=>row3.forEach((v3,x2)=>{pen.fillStyle=level(.1+.85*v3),pen.fillRect(x2*side2,y2*side2,side2-1,side2-1)}))}function before({before:table,columns:columns2}){let methods=Object.keys(table);if(!methods.length)return x`<p class="sp-note">Nothing was measured of this model before.</p>`;let sets=columns2.filter(name2=>methods.some(m4=>table[m4][name2]!==void 0)),mean2=m4=>Object.values(table[m4]).reduce((a2,b2)=>a2+b2,0)/sets.length,cell3=v3=>v3===void 0?x`<td>–</td>`:x`<td>
          <span class="sp-meter" style="--v:${v3.toFixed(3)}"></span
          ><span class="sp-num" title=${meaning("accuracy")}>${percent(v3)}</span>
        </td>`;return x`<div class="sp-before">
    <p class="sp-kicker">Measured of this model: how often the map finds the needle</p>
    <div class="sp-scroll" tabindex="0" role="group" aria-label="Accuracy of every map">
      <table>
        <thead>
          <tr>
            <th scope="col">map</th>
            ${sets.map(name2=>x`<th scope="col">${name2}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${methods.sort((a2,b2)=>mean2(b2)-mean2(a2)).map(m4=>x`<tr>
                  <th scope="row">${m4}</th>
                  ${sets.map(name2=>cell3(table[m4][name2]))}
                </tr>`)}
        </tbody>
      </table>
    </div>
  </div>`}var by="answer",query="",chosen3=0;function openStages(s5){!s5.stages&&!s5.jobs.stages&&!s5.errors.stages&&queueMicrotask(ask5)}function ask5(){chosen3=0,send("stages",{by,query:query.trim()||null},"Following the picture")}function again2(){state.jobs.stages||set({stages:null})}function stages(s5){let retriever=s5.page.retriever,button2=(key2,text)=>x`<button type="button" data-by=${key2} aria-pressed=${by===key2} @click=${()=>change2(s5,key2)}>
      ${text}
    </button>`;return x`<h2>Processing <small>how the picture becomes what a map is drawn over</small></h2>
    <div class="sp-bar">
      ${retriever?x`<div class="sp-segments" role="group" aria-label="Which model">
            ${button2("answer",s5.analysis.model.name)}
            ${button2("page",x`${retriever} <small>retrieval</small>`)}
          </div>`:E}
      ${by==="page"?x`<form class="sp-field" @submit=${look3}>
            <label>look for <input type="text" maxlength="200" .value=${query} /></label>
            <button class="sp-quietly">Show</button>
          </form>`:E}
      <span class="sp-gap"></span>${png()}
    </div>
    ${going(s5,"stages")} ${trouble(s5,"stages",ask5)} ${s5.stages?made(s5,s5.stages):E}`}function change2(s5,key2){by===key2||state.jobs.stages||(by=key2,key2==="page"&&!query&&(query=s5.analysis.answer.trim().slice(0,200)),again2())}function look3(e4){e4.preventDefault(),query=e4.target.querySelector("input").value,again2()}function made(s5,value){return x`<ol class="sp-steps">
      ${value.stages.map((step,i5)=>x`<li>
            <figure>
              <img src=${step.src} alt="" />
              <figcaption><b>${i5+1}. ${step.title}</b> ${step.says}</figcaption>
            </figure>
          </li>`)}
      <li>${value.cosines?cosine(s5,value):last(s5,value)}</li>
    </ol>
    ${value.cosines?tokens(value):E}`}function last(s5,value){let t4=s5.analysis.byIndex.get(s5.token),values=t4?attention(s5.analysis,t4.index):null;return x`<figure>
    <canvas
      ${draws(`${s5.page.key}/${s5.token}`,canvas=>paint(canvas,shot(s5),values,{mode:"colour",width:320}))}
    ></canvas>
    <figcaption>
      <b>${value.stages.length+1}. The map.</b> Attention of <b>${t4?token(t4.text):""}</b>, shared out
      among the patches of each image token. What the encoder made of a patch has every other patch mixed into
      it: a bright spot is where a token stands, not what it was made of.
    </figcaption>
  </figure>`}function cosine(s5,value){value.maps||=unpackCosines(value.cosines),value.shot||={images:[s5.page.images[0]],sizes:[value.size],tiles:value.tiles};let first=Math.max(0,value.tokens.findIndex(t4=>t4.part==="query")),at3=chosen3||first,n4=value.maps.length/value.tokens.length,values=value.maps.subarray(at3*n4,(at3+1)*n4),[low,top]=[Math.min(...values),Math.max(...values)],scaled=Float32Array.from(values,v3=>(v3-low)/Math.max(1e-9,top-low)),trust2=s5.trusts.cosine!==void 0?s5.trusts.cosine:trustOf(value.trust);return x`<figure class="sp-cosine">
    <canvas
      ${draws(`${s5.page.key}/${value.query}/${at3}`,canvas=>paint(canvas,value.shot,scaled,{mode:"colour",width:320}))}
    ></canvas>
    <figcaption class="sp-what">
      <b>${value.stages.length+1}. The map.</b> ${s5.page.images.length>1?"The first picture alone is looked at. ":""}
      ${term("cosine","Cosine")} of <b>${token(value.tokens[at3].text)}</b> with every image token,
      ${low.toFixed(2)} to ${top.toFixed(2)}. The query's score (${term("maxsim","MaxSim")}) is
      ${value.score.toFixed(2)}. ${sentence(trust2,"Maps of this kind")}
    </figcaption>
  </figure>`}var unpackCosines=packed=>unpack(typeof packed=="string"?{dtype:"f4",data:packed}:packed);function tokens(value){let pick2=i5=>{chosen3=i5,set({})};return x`<div class="sp-row" role="group" aria-label="Query tokens">
    ${value.tokens.map((t4,i5)=>t4.part==="query"?x`<button
            type="button"
            class="sp-chip"
            data-at=${i5}
            aria-pressed=${i5===chosen3}
            @click=${()=>pick2(i5)}
          >
            ${token(t4.text)}
          </button>`:E)}
  </div>`}function openMaps(s5){openStages(s5),openNeedle(s5)}var maps=s5=>x`<section id="sp-stages" aria-label="Processing" data-name="processing">${stages(s5)}</section>
    <section id="sp-needle" aria-label="Needle" data-name="needle">${needle(s5)}</section>`;var TABS=[{id:"concepts",text:"Concepts",view:concepts,shown:()=>!0},{id:"heatmap",text:"Heatmap",view:heatmap,shown:()=>!0},{id:"layers",text:"Layers",view:layers,open:openLayers,shown:s5=>online()&&!s5.kase&&s5.boot.offers.length>1},{id:"influence",text:"Influence",view:influenceTab,open:openLayers,shown:s5=>online()&&!s5.kase&&s5.boot.offers.length>1},{id:"attention",text:"Attention",view:attentionTab,open:openAttention,shown:s5=>online()&&s5.boot.live&&!s5.kase},{id:"clusters",text:"Clusters",view:clustersTab,open:openClusters,shown:s5=>online()&&s5.boot.live&&!s5.kase},{id:"compare",text:"Compare",view:compareTab,shown:s5=>online()&&s5.boot.live&&!!s5.analysis&&!s5.kase},{id:"sae",text:"SAE",view:saeTab,open:openSae,shown:s5=>online()&&s5.boot.live&&!s5.kase},{id:"maps",text:"Maps",view:maps,open:openMaps,shown:s5=>online()&&s5.boot.live&&!s5.kase},{id:"latent",text:"Latent",view:latentPage,shown:s5=>!!s5.reading}];function tabs(s5){let shown3=TABS.filter(tab=>tab.shown(s5)),at3=shown3.find(tab=>tab.id===s5.tab)||shown3[0];return at3.open&&s5.analysis&&!s5.jobs.ask&&at3.open(s5),x`<div class="sp-right">
    <div
      class="sp-tabs"
      role="tablist"
      aria-label="Views"
      @keydown=${e4=>arrows4(e4,shown3,at3)}
      ${draws(at3.id,inSight2)}
    >
      ${shown3.map(tab=>button(s5,tab,at3))}
    </div>
    <div
      class="sp-panel"
      id=${`sp-${at3.id}`}
      role="tabpanel"
      aria-labelledby=${`sp-tab-${at3.id}`}
      data-name=${at3.text}
      tabindex="-1"
    >
      ${s5.analysis||at3.id==="sae"||at3.id==="latent"?at3.view(s5):s5.boot.live?ghosts2():gallery(s5)}
    </div>
  </div>`}function inSight2(row3){let tab=row3.querySelector("[aria-selected=true]");row3.scrollLeft=tab.offsetLeft-(row3.clientWidth-tab.offsetWidth)/2}var button=(s5,tab,at3)=>x`<button
    type="button"
    role="tab"
    id=${`sp-tab-${tab.id}`}
    aria-selected=${tab===at3}
    aria-controls=${tab===at3?`sp-${tab.id}`:E}
    tabindex=${tab===at3?0:-1}
    @click=${()=>set({tab:tab.id,hover:null})}
  >
    ${tab.id==="latent"?`Latent #${s5.reading.id}`:tab.text}
  </button>`;function arrows4(e4,shown3,at3){let step={ArrowRight:1,ArrowLeft:-1}[e4.key];if(!step)return;e4.preventDefault();let next=shown3[(shown3.indexOf(at3)+step+shown3.length)%shown3.length];set({tab:next.id}),queueMicrotask(()=>document.getElementById(`sp-tab-${next.id}`)?.focus())}var ghosts2=()=>x`<div class="sp-cards">${[1,2,3,4,5,6].map(()=>x`<div class="sp-ghost"></div>`)}</div>`;var OPS=[["scale","×"],["set","="],["add","+"]],STARTS={set:0,add:1};function chips(s5){let fixed=!!s5.kase||!online();return s5.picked.length?x`<div class="sp-picked" role="group" aria-label="In the test">
    ${s5.picked.map(id=>chip2(s5,latentOf(s5.analysis,id),fixed))} ${where(s5)}
  </div>`:x`<p class="sp-note sp-picked">
      ${fixed||!s5.keepError?fixed?"No test in this case.":"The SAE's bare reconstruction, nothing switched off.":x`Does the answer depend on it? <b>Switch off</b> concepts, or take a set:`}
    </p>`}function chip2(s5,l2,fixed){let says3=plain(l2),op=s5.ops[l2.id]||"scale";return x`<span class="sp-in" data-in=${l2.id}>
    <button
      type="button"
      class="sp-plain"
      aria-pressed=${s5.latent===l2.id}
      @click=${()=>chooseLatent(l2.id)}
    >
      ${brief(l2)} <small class="sp-id">#${l2.id}</small>
    </button>
    <select
      data-op=${l2.id}
      ?disabled=${fixed}
      aria-label="What is done to ${says3}"
      @change=${e4=>choose3(s5,l2.id,e4.target.value)}
    >
      ${OPS.map(([key2,sign])=>x`<option value=${key2} ?selected=${op===key2}>${sign}</option>`)}
    </select>
    <input
      type="number"
      step="0.1"
      data-own=${l2.id}
      .value=${String(s5.own[l2.id]??"")}
      placeholder=${op==="scale"?s5.strength:0}
      ?disabled=${fixed}
      aria-label="by how much, ${says3}"
      title="By how much; empty: as the slider says"
      @change=${e4=>own2(s5,l2.id,e4.target.value)}
    />
    ${fixed?E:x`<button
          type="button"
          class="sp-plain"
          data-drop=${l2.id}
          aria-label="Leave ${says3} out"
          @click=${()=>toggle([l2.id])}
        >
          ×
        </button>`}
  </span>`}function choose3(s5,id,op){let values={...s5.own};STARTS[op]===void 0?delete values[id]:values[id]=STARTS[op],set({ops:{...s5.ops,[id]:op},own:values})}function own2(s5,id,text){let values={...s5.own},value=parseFloat(text);Number.isFinite(value)?values[id]=value:delete values[id],set({own:values})}function where(s5){if(!s5.region&&s5.image===null)return E;let part=s5.region?`inside ${placeText(s5.analysis,s5.region,s5.image)}`:`on picture ${(s5.image||0)+1}`;return x`<small class="sp-where">only ${part}</small>`}var upper=text=>text.charAt(0).toUpperCase()+text.slice(1);function diagnosis(s5,d2){let latents=d2.sufficient?d2.sufficient.latents:[];return x`<section class="sp-diagnosis" aria-label="Diagnosis">
    <p class="sp-verdict">
      <b>${d2.mode==="none"?"Fits none of the three modes":`Fits: ${d2.mode}`}.</b> ${upper(d2.why)}
    </p>
    <ul class="sp-checks">
      ${d2.tests.map(check)}
    </ul>
    ${latents.length&&!s5.kase?x`<div class="sp-row">
          ${latents.map(l2=>x`<button
                type="button"
                class="sp-chip"
                data-take=${l2.id}
                aria-pressed=${s5.picked.includes(l2.id)}
                title="Put it in the test"
                @click=${()=>toggle([l2.id])}
              >
                ${name({guess:"",...l2})}
              </button>`)}
        </div>`:E}
  </section>`}var[W3,H4,PAD2]=[420,260,44],DECADES=4;function effects(s5,v3){if(!v3.effects.length)return x`<p class="sp-note">No latent is active in this picture.</p>`;let most=Math.max(...v3.effects.flatMap(e4=>[Math.abs(e4.predicted),Math.abs(e4.actual)]),1e-9),near=Math.max(most/10**DECADES,1e-7),bend=x3=>Math.sign(x3)*Math.log10(1+Math.abs(x3)/near)/Math.log10(1+most/near),x2=e4=>PAD2+(W3-2*PAD2)*(bend(e4)+1)/2,y2=e4=>PAD2+(H4-2*PAD2)*(1-bend(e4))/2,say=e4=>`${e4.name||"unnamed"} #${e4.latent}: predicted ${figures(e4.predicted)}, real ${figures(e4.actual)} nats`,lit2=e4=>s5.latent===e4.latent||s5.hover?.latent===e4.latent?"sp-lit":"",point4=e4=>b`<circle cx=${x2(e4.predicted)} cy=${y2(e4.actual)} r="4" data-latent=${e4.latent} class=${lit2(e4)}
      @click=${()=>chooseLatent(e4.latent)}><title>${say(e4)}</title></circle>`,worst=[...v3.effects].sort((a2,b2)=>a2.actual-b2.actual).slice(0,5).filter(e4=>e4.actual<0);return x`<section class="sp-effects" aria-label="Predicted and real effects">
    <figure>
      <svg
        viewBox="0 0 ${W3} ${H4}"
        role="img"
        aria-label=${`Predicted effect (across) against real effect (up) of ${v3.effects.length} latents`}
      >
        <path
          d="M${PAD2} ${y2(0)}H${W3-PAD2}M${x2(0)} ${PAD2}V${H4-PAD2}M${x2(-most)} ${y2(-most)}L${x2(most)} ${y2(most)}"
        />
        ${[-most,0,most].map(e4=>b`<text x=${x2(e4)} y=${H4-22} text-anchor="middle">${figures(e4)}</text>
          <text x=${PAD2-6} y=${y2(e4)+4} text-anchor="end">${figures(e4)}</text>`)}
        <text x=${W3/2} y=${H4-4} text-anchor="middle">predicted, nats (log scale)</text>
        <text x="12" y=${H4/2} text-anchor="middle" transform="rotate(-90 12 ${H4/2})">
          real, nats (log scale)
        </text>
        ${v3.effects.map(point4)}
      </svg>
    </figure>
    <div>
      <p class="sp-verdict">
        <b
          >${term("spearman","Rank correlation")}
          ${v3.spearman===null?"can't be told":v3.spearman.toFixed(2)}</b
        >
        over ${v3.effects.length} of ${v3.active} active latents. Where the two part, the ablation is right.
      </p>
      ${worst.length?x`<p class="sp-kicker">The answer loses most without</p>
            <div class="sp-row">
              ${worst.map(e4=>x`<button
                    type="button"
                    class="sp-chip"
                    data-take=${e4.latent}
                    title=${say(e4)}
                    aria-pressed=${s5.picked.includes(e4.latent)}
                    ?disabled=${!!s5.kase}
                    @click=${()=>toggle([e4.latent])}
                  >
                    ${name({id:e4.latent,name:e4.name,guess:""})}
                    <small>${figures(e4.actual)} nats</small>
                  </button>`)}
            </div>`:E}
    </div>
  </section>`}var SIGNS={supported:"✓","not supported":"✕",inconclusive:"?"},badge2=kind=>x`<span class="sp-kind" data-kind=${kind}><span aria-hidden="true">${SIGNS[kind]}</span> ${kind}</span>`,side=(diff,skip)=>{let parts=diff.filter(([kind])=>kind!==skip);if(!parts.some(([,text])=>text.trim()))return x`<em>(nothing)</em>`;let trimmed=(text,n4)=>n4?text:text.trimStart();return parts.map(([kind,text],n4)=>kind==="same"?trimmed(text,n4):x`<mark class="sp-${kind}">${trimmed(text,n4)}</mark>`)};function verdict(s5){let{run,stale}=shownRun(s5);if(!run)return x`<p class="sp-verdict sp-quiet" aria-live="polite">${none(s5)}</p>`;let{comparison,verdict:v3}=run.test;return x`<div class="sp-verdict ${stale?"sp-stale":""}" aria-live="polite">
    ${stale?x`<small class="sp-staleness">before the last change</small>`:E} ${badge2(v3.kind)}
    <span class="sp-change"
      ><q>${side(comparison.diff,"new")}</q> → <q>${side(comparison.diff,"gone")}</q></span
    >
    <span class="sp-sentence">${v3.sentence}</span>
  </div>`}function elsewhere2(s5){let so=s5.runs.length===1?"one test so far stands":`${s5.runs.length} tests so far stand`;return s5.picked.length||!s5.keepError?`Not asked again yet with this in the test; the ${so} beside.`:`Nothing is in the test; the ${so} beside.`}var none=s5=>s5.kase?"Nothing was tested in this case.":s5.runs.length?elsewhere2(s5):x`<span
          >Nothing tested yet: the ${term("verdict")} and its ${term("control","controls")} stand here.</span
        >`;function evidence(s5){let{run,stale}=shownRun(s5);return x`<div class="sp-evidence" role="region" aria-label="Evidence" data-name="evidence" tabindex="0">
    ${png()} ${s5.diagnosis?diagnosis(s5,s5.diagnosis):E}
    ${s5.verified?effects(s5,s5.verified):E}
    ${run?x`<details class="sp-of-run" ?open=${!stale}>
          <summary>
            ${stale?"The test before the last change":"This test"} ${badge2(run.test.verdict.kind)}
          </summary>
          ${ofRun(s5,run)}
        </details>`:E}
  </div>`}function ofRun(s5,run){let t4=run.test,c5=t4.comparison;return x`<div class="sp-columns">
    <div>
      <div class="sp-sides">
        <div>
          <p class="sp-kicker">Before</p>
          <p class="sp-text">${side(c5.diff,"new")}</p>
        </div>
        <div>
          <p class="sp-kicker">After</p>
          <p class="sp-text">${side(c5.diff,"gone")}</p>
        </div>
      </div>
      <ul class="sp-checks">
        ${t4.verdict.checks.map(check)}
      </ul>
      ${beside3(s5,run)}
    </div>
    <div>
      ${t4.control.effects.length?plot(t4):x`<p class="sp-note">No control: too few other active latents to draw as many at random.</p>`}
      <p class="sp-kicker">${term("change","Change of log-probability")} per token, nats</p>
      <div class="sp-deltas">${deltas(c5)}</div>
    </div>
  </div>`}var check=one=>x`<li data-holds=${String(one.holds)}>
    <b>${one.holds===null?"not tested":one.holds?"holds":"doesn’t hold"}</b>
    <span>${one.says}</span>
  </li>`;function deltas(c5){let most=Math.max(.5,...c5.delta_logprob.map(Math.abs)),likely2=list2=>list2.slice(0,3).map(([text,p3])=>`${token(text)} ${chance(p3)}`).join(", ");return c5.delta_logprob.map((v3,i5)=>{let a2=c5.alternatives[i5],t4=c5.before.tokens[i5],title=a2?`likeliest before: ${likely2(a2.before)}; now: ${likely2(a2.after)}`:"";return x`<div class="sp-delta" title=${title}>
      <span class="sp-col"
        ><i
          style="height:${(100*Math.abs(v3)/most).toFixed(1)}%;background:rgb(${change(-v3/most)})"
        ></i
      ></span>
      <span class="sp-num">${signed(v3)}</span><span>${t4?token(t4.text):"end"}</span>
    </div>`})}function beside3(s5,{test:t4,blank}){let c5=t4.comparison,of2=id=>name(latentOf(s5.analysis,id)),lines=[],set2=t4.sufficient;return set2&&lines.push(x`${set2.minimality==="smallest"?"The smallest set":"The smallest set found"}${set2.target?` that brings out “${set2.target}”`:""}:
      ${set2.latents.length} of ${s5.analysis.active.length} active latents, after ablating ${set2.tried}
      sets${set2.spent?", where the search was ended":""}.
      ${set2.minimality==="none"?"":"None of them can be left out."} As many random latents do it in
      ${set2.random_flips} of ${set2.n_random_sets} sets.`),c5.inactive.length&&lines.push(x`Not active where the test acts, so without effect: ${c5.inactive.map(of2)}.`),c5.edit.keep_error||lines.push("The SAE's reconstruction stands in place of the activations."),blank&&lines.push(blank.same?x`<b>With a ${term("grey","grey picture")} the model answers the same:</b> this answer may be
            habit, not sight.`:x`With a ${term("grey","grey picture")} it answers “${blank.answer}”; the original answer's
          ${term("logprob","log-probability")} is ${nats(blank.logprob)} there, ${nats(blank.with_picture)}
          here.`),c5.toward&&lines.push(x`${term("logprob","Log-probability")} of “${c5.toward.text}” as the answer: ${nats(c5.toward.before)}
      before, ${nats(c5.toward.after)} now (${signed(c5.toward.after-c5.toward.before)}).`),c5.sampled&&lines.push(x`Drawn at temperature ${c5.sampled.sampling.temperature}, seed ${c5.sampled.sampling.seed}: before
      “${c5.sampled.before}”, after “${side(c5.sampled.diff,"gone")}”.`),c5.risen.length&&lines.push(x`${term("risen","More active now")}:
      ${c5.risen.slice(0,4).map(r4=>x`${of2(r4.latent)}
            <small title=${meaning("mean")}>(mean ${figures(r4.before)} → ${figures(r4.after)})</small> `)}`),lines.map(line=>x`<p class="sp-note">${line}</p>`)}function strip2(s5){return s5.runs.length<2&&s5.at>=0?E:s5.runs.length?x`<div
    class="sp-runs"
    role="group"
    aria-label="Tests so far"
    ${draws(`${s5.at}/${s5.runs.length}`,inSight3)}
  >
    ${s5.runs.map((run,n4)=>card2(s5,run,n4))}
  </div>`:E}function card2(s5,run,n4){let{comparison,verdict:verdict2}=run.test,latents=run.edit.picked,what=latents.length>1?times(latents.length,"latent"):latents.map(id=>plain(latentOf(s5.analysis,id))),before2=comparison.before.text.trim()||"(nothing)",after=comparison.after.text.trim()||"(nothing)";return x`<button
    type="button"
    class="sp-run"
    data-run=${n4}
    data-kind=${verdict2.kind}
    aria-pressed=${s5.at===n4}
    title="${what}${how(run.edit)}: “${before2}” → “${after}”, ${verdict2.kind}"
    @click=${()=>recall(n4)}
  >
    <small>${n4+1}</small> ${before2} → ${after} <small>${what}${how(run.edit)}</small>
  </button>`}function how({picked,own:own3,ops,strength:strength3,region,image,keepError}){if(!picked.length)return"the bare reconstruction";let each=Object.keys(own3).length||Object.keys(ops).length?", some otherwise":"",part=region?", in a region":image!==null?`, picture ${image+1}`:"";return`${strength3?` ×${strength3}`:" off"}${each}${part}${keepError?"":", no SAE error"}`}var inSight3=strip3=>strip3.querySelector("[aria-pressed=true]")?.scrollIntoView({block:"nearest",inline:"nearest"});function testBar(s5,old){if(!s5.analysis)return E;let{run}=shownRun(s5),more=!!(run||s5.diagnosis||s5.verified);return x`<section
    class="sp-test ${s5.evidence&&more?"sp-open":""} ${old}"
    id="sp-test"
    aria-label="Test"
  >
    ${s5.evidence&&more?evidence(s5):E}
    <div class="sp-testrow">${chips(s5)} ${s5.kase||!online()?E:controls(s5)}</div>
    <div class="sp-testrow sp-result">
      ${s5.jobs.test?going(s5,"test"):s5.errors.test?trouble(s5,"test"):verdict(s5)}
      <span class="sp-gap"></span> ${strip2(s5)}
      ${more?x`<button
            type="button"
            class="sp-quietly"
            data-evidence
            aria-expanded=${s5.evidence}
            @click=${()=>set({evidence:!s5.evidence})}
          >
            ${s5.evidence?"Close":"Evidence"}
          </button>`:E}
    </div>
  </section>`}function controls(s5){let running=!!s5.jobs.test,ready=s5.picked.length>0||!s5.keepError,button2=(what,text,title)=>x`<button
      type="button"
      class="sp-button"
      data-do=${what}
      title=${title}
      ?disabled=${running}
      @click=${()=>test2(what)}
    >
      ${text}
    </button>`;return x`<div class="sp-controls">
    ${s5.picked.length?strength2(s5):E}
    <button
      type="button"
      class="sp-go"
      data-do="go"
      ?disabled=${running||!ready}
      ${draws(String(running),go3=>running||focusAgain(go3))}
      @click=${e4=>{pressed=e4.detail===0,test2("ablate")}}
    >
      Ask again
    </button>
    <span class="sp-or" aria-hidden="true">or</span>
    ${button2("suggested","Suggested set","Tests the latents that one backward pass predicts the answer leans on most")}
    ${button2("smallest","Smallest set","Searches the fewest latents without which the answer changes, or becomes the expected one")}
    ${button2("diagnose","Diagnose","Which of three failure modes a wrong answer fits; say what it should have been under ⋯")}
    ${menu2(s5,running)}
  </div>`}var pressed=!1;function focusAgain(go3){pressed&&document.activeElement===document.body&&go3.focus({preventScroll:!0}),pressed=!1}var strength2=s5=>x`<label class="sp-strength" title="What each latent's strength is multiplied by: 0 switches it off">
    ×
    <input
      type="range"
      min="0"
      max="4"
      step="0.1"
      aria-label="Strength of what is in the test"
      .value=${String(s5.strength)}
      @input=${e4=>set({strength:+e4.target.value})}
    /><output>${s5.strength===0?"off":s5.strength.toFixed(1)}</output></label
  >`;function menu2(s5,running){let field3=(key2,label2,attributes)=>x`<label class="sp-field" title=${attributes.title}
      ><span>${label2}</span
      ><input
        type="text"
        data-how=${key2}
        inputmode=${attributes.mode||"text"}
        maxlength="200"
        placeholder=${attributes.placeholder||""}
        .value=${s5[key2]}
        @input=${e4=>set({[key2]:e4.target.value})}
    /></label>`;return x`<details
    class="sp-pop sp-up"
    @keydown=${e4=>e4.key==="Escape"&&(e4.currentTarget.open=!1)}
  >
    <summary class="sp-button" aria-label="More ways to test" title="More ways to test">⋯</summary>
    <div class="sp-menu">
      ${field3("target","expected answer",{placeholder:"a word or two",title:"What the answer should have been: what the smallest set must bring out, what a diagnosis takes as right"})}
      ${field3("temperature","also draw at temperature",{placeholder:"none",mode:"decimal",title:"One answer drawn before and one after, from the same chance"})}
      ${field3("seed","with seed",{mode:"numeric",title:"The same seed draws the same"})}
      <label class="sp-switch"
        ><input
          type="checkbox"
          data-how="keepError"
          .checked=${s5.keepError}
          @change=${e4=>set({keepError:e4.target.checked})}
        />
        keep the SAE's error <small>(off: its ${term("reconstruction","bare reconstruction")})</small></label
      >
      <div class="sp-row">
        <button
          type="button"
          class="sp-quietly"
          data-do="verify"
          ?disabled=${running}
          title="Ablates the 128 latents that the answer is likeliest to rest on, one by one"
          @click=${e4=>{e4.currentTarget.closest("details").open=!1,test2("verify")}}
        >
          Verify predictions
        </button>
        <button type="button" class="sp-quietly" data-do="undo" ?disabled=${!canUndo()} @click=${undo}>
          Undo
        </button>
        <button type="button" class="sp-quietly" data-do="clear" @click=${clear}>Clear</button>
      </div>
    </div>
  </details>`}function mount(element){let addressed=!1,draw2=()=>{!addressed&&state.analysis&&!state.jobs.ask&&queueMicrotask(()=>{addressed=addressed||openAddressed()}),document.body.classList.toggle("sp-reading",!!state.kase),B(page2(state),element)};subscribe(draw2),draw2()}function page2(s5){let old=outdated(s5)&&!s5.jobs.ask?"sp-old":"",bar2=s5.kase?caseBanner(s5):online()?askBar(s5):E;return x`<div class="sp-page ${s5.jobs.ask?"sp-busy":""}">
    ${header(s5)} ${bar2}
    <div class="sp-work ${old}">${look2(s5)} ${tabs(s5)}</div>
    ${testBar(s5,old)} ${drawers(s5)} ${enlarged(s5)} ${tour(s5)}
  </div>`}window.Scratchpad={mount,channel,lost,done,...actions_exports,...asking_exports,state,set,undo,recall,derive:derive_exports,heads:heads_exports,sheet:sheet_exports};})();
